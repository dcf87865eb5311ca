brand = BIN
brand-long = Buurtinformatienetwerken (BIN)
emergency = Bel in nood 101 (politie) of 112 (brandweer, ziekenwagen).

role-coordinator = coördinator
role-deputy = adjunct-coördinator
role-steering_group_member = lid van de stuurgroep
role-mandated_officer = gemandateerde politiebeambte
role-zone_administrator = beheerder van de politiezone
role-municipality = gemeente
role-provincial_group = provinciale stuurgroep
role-expertise_centre = BIN Kenniscentrum
role-federal_service = FOD Binnenlandse Zaken
role-member = lid

kind-start = Startbericht
kind-update = Opvolgbericht
kind-end = Eindbericht
kind-feedback = Terugkoppeling
kind-correction = Rechtzetting
kind-prevention = Preventietip
kind-meeting = Vergadering
kind-admin = Praktische informatie
kind-survey = Enquête

class-urgent = Dringend bericht
class-non_urgent = Niet-dringend bericht

# Why a member is left out of those a message goes to.
reason-paused = op eigen verzoek gepauzeerd
reason-quiet_hours = rusturen
reason-night_choice = koos ervoor 's nachts geen sms te krijgen
reason-duplicate = al ingeschreven
reason-household = een huisgenoot krijgt de sms
reason-no_contact = geen bruikbare contactgegevens
reason-unverified = contactgegevens niet bevestigd
reason-not_chosen = koos niet voor dit kanaal
reason-language_missing = geen tekst in de eigen taal
reason-suspended = geschorst
reason-suspended_endpoint = niet meer bereikbaar langs deze weg: zendingen mislukten
reason-stopped = vroeg om deze berichten niet meer te krijgen

# Why a request to join is refused.
reason-not_adult = men moet meerderjarig zijn (18 jaar)
reason-outside_perimeter = het adres ligt buiten het afgebakende gebied
reason-no_link = geen band met de buurt, noch door wonen noch door werken
reason-rules_not_acknowledged = het huishoudelijk reglement is niet aanvaard
reason-unreachable = de persoon kon niet worden bereikt
reason-other_lawful = een andere reden waarin de wet of het reglement voorziet

problem-title = Dit is niet gelukt
problem-link_unknown = Deze link is niet meer geldig of bestaat niet. Gebruik het laatste bericht dat u kreeg.
problem-wrong_code = De code is niet juist. Kijk hem na en probeer nog een keer.
problem-passwords_differ = De twee wachtwoorden zijn niet gelijk.
problem-password_weak = Dit wachtwoord is te makkelijk te raden. Kies een langer wachtwoord.
problem-password_about_owner = Dit wachtwoord bevat uw naam of uw e-mailadres. Kies een ander.
problem-password_tried_first = Dit wachtwoord is een van de eerste die men zou proberen. Kies meerdere woorden die niets met elkaar te maken hebben.
problem-too_many = Er waren te veel pogingen. Wacht even en probeer opnieuw.
problem-unavailable = De dienst is even niet beschikbaar. Probeer het over enkele minuten opnieuw.
