page-languages = Taal
page-code = Code
page-password = Wachtwoord
page-password-repeat = Nog een keer hetzelfde wachtwoord
page-password-hint = Kies een lang wachtwoord, bijvoorbeeld enkele woorden die niets met elkaar te maken hebben.

page-leave-title = Het buurtinformatienetwerk verlaten
page-leave-body =
    Wilt u het buurtinformatienetwerk "{ $partnership }" verlaten?
    U krijgt dan geen enkel bericht meer, ook geen dringend bericht.
page-leave-button = Ja, ik verlaat het netwerk

page-left-title = U hebt het netwerk verlaten
page-left-body =
    U bent geen lid meer van het buurtinformatienetwerk "{ $partnership }".
    Bedankt voor uw deelname.

page-unsubscribe-title = Geen e-mails meer ontvangen
page-unsubscribe-body =
    Wilt u geen e-mails meer krijgen van het buurtinformatienetwerk "{ $partnership }"?
    U blijft lid, en voor de sms'en verandert er niets.
page-unsubscribe-button = Ja, stop de e-mails

page-unsubscribed-title = Het is in orde
page-unsubscribed-body =
    U krijgt geen e-mails meer van het buurtinformatienetwerk "{ $partnership }".
    U blijft lid.

page-confirm_contact-title = Uw contactgegevens bevestigen
page-confirm_contact-body =
    Vul de code in die u kreeg van het buurtinformatienetwerk "{ $partnership }".
page-confirm_contact-button = Bevestigen

page-contact_confirmed-title = Bedankt, het is bevestigd
page-contact_confirmed-body =
    Uw contactgegevens zijn bevestigd bij het buurtinformatienetwerk "{ $partnership }".
    U mag deze pagina sluiten.

page-accept_invitation-title = De uitnodiging aanvaarden
page-accept_invitation-body =
    Goedendag { $name },
    { $inviter } nodigt u uit. Uw rol: { $role }.
    Kies een wachtwoord om te aanvaarden.
page-accept_invitation-button = Aanvaarden

page-invitation_accepted-title = Uw account is klaar
page-invitation_accepted-body =
    U kunt zich nu aanmelden met uw e-mailadres en uw wachtwoord.

page-reset_password-title = Een nieuw wachtwoord kiezen
page-reset_password-body =
    Goedendag { $name },
    kies een nieuw wachtwoord voor uw account. Daarna moet u zich overal opnieuw aanmelden.
page-reset_password-button = Opslaan

page-password_reset-title = Uw nieuwe wachtwoord is actief
page-password_reset-body =
    U kunt zich nu aanmelden met uw e-mailadres en uw nieuwe wachtwoord.

page-verify-title = Een bericht controleren
page-verify-genuine =
    Dit bericht is echt.
    Netwerk: { $partnership }. Politie: { $zone }. Verstuurd: { $sent_at }.
page-verify-exercise =
    Dit is een OEFENING. U hoeft niets te doen.
    Netwerk: { $partnership }. Politie: { $zone }. Verstuurd: { $sent_at }.
page-verify-stopped =
    Dit bericht werd stopgezet. Houd er geen rekening meer mee.
    Netwerk: { $partnership }. Politie: { $zone }. Verstuurd: { $sent_at }.
page-verify-corrected =
    Dit bericht werd rechtgezet. Volg de rechtzetting die u kreeg.
    Netwerk: { $partnership }. Politie: { $zone }. Verstuurd: { $sent_at }.
page-verify-unknown =
    Wij kennen dit bericht niet. Misschien komt het niet van de politie.
    Open de links niet en geef geen gegevens door. Twijfelt u? Bel dan uw lokale politie.

page-my_data-title = Uw gegevens
page-my_data-body = Dit zijn alle gegevens die wij over u bewaren.
page-my_data-memberships = Uw netwerken
page-my_data-none = Geen

data-name = Naam
data-language = Taal
data-email = E-mail
data-mobile = Gsm
data-landline = Telefoon
data-address = Adres
data-point = Plaats op de kaart
data-basis = Band met de buurt
data-adult = Meerderjarigheid verklaard op
data-rules = Huishoudelijk reglement aanvaard (versie)
data-channel = Voorkeurkanaal
data-night = Sms 's nachts
data-exercises = Doet mee aan oefeningen
data-email_stopped = E-mails stopgezet
data-sms_stopped = Sms stopgezet
data-applied = Aanvraag ingediend op
data-joined = Lid sinds
data-ended = Beëindigd op
data-yes = Ja
data-no = Nee

language-fr = Frans
language-nl = Nederlands
language-de = Duits
language-en = Engels
basis-lives = woont er
basis-works = werkt er
basis-both = woont en werkt er
channel-email = e-mail
channel-sms = sms
status-requested = aanvraag ontvangen
status-contact_unverified = contactgegevens te bevestigen
status-pending_approval = wacht op het antwoord van de coördinator
status-active = lid
status-paused = gepauzeerd
status-review_due = lid, dit jaar na te zien
status-unreachable = lid, onbereikbaar
status-suspended_provisional = geschorst
status-refused = aanvraag geweigerd
status-left = geen lid meer
status-excluded = uitgesloten
status-anonymised = gegevens gewist
