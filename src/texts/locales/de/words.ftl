brand = NIN
brand-long = Nachbarschaftsinformationsnetze (NIN)
emergency = Wählen Sie im Notfall 101 (Polizei) oder 112 (Feuerwehr, Krankenwagen).

role-coordinator = Koordinator
role-deputy = stellvertretender Koordinator
role-steering_group_member = Mitglied der Lenkungsgruppe
role-mandated_officer = beauftragter Polizeibeamter
role-zone_administrator = Verwalter der Polizeizone
role-municipality = Gemeinde
role-provincial_group = provinziale Lenkungsgruppe
role-expertise_centre = Fachzentrum NIN
role-federal_service = FÖD Inneres
role-member = Mitglied

kind-start = Startmeldung
kind-update = Folgemeldung
kind-end = Endmeldung
kind-feedback = Rückmeldung
kind-correction = Berichtigung
kind-prevention = Präventionstipp
kind-meeting = Versammlung
kind-admin = Praktische Information
kind-survey = Umfrage

class-urgent = Dringende Meldung
class-non_urgent = Nicht dringende Meldung

# Why a member is left out of those a message goes to.
reason-paused = auf eigenen Wunsch pausiert
reason-quiet_hours = Ruhezeit
reason-night_choice = möchte nachts keine SMS erhalten
reason-duplicate = bereits eingetragen
reason-household = eine andere Person im Haushalt erhält die SMS
reason-no_contact = keine brauchbaren Kontaktdaten
reason-unverified = Kontaktdaten nicht bestätigt
reason-not_chosen = hat diesen Kanal nicht gewählt
reason-language_missing = kein Text in der eigenen Sprache
reason-suspended = ausgesetzt
reason-suspended_endpoint = nicht mehr zustellbar: Zustellungen sind fehlgeschlagen
reason-stopped = möchte diese Meldungen nicht mehr erhalten

# Why a request to join is refused.
reason-not_adult = man muss volljährig sein (18 Jahre)
reason-outside_perimeter = die Adresse liegt außerhalb des abgegrenzten Gebiets
reason-no_link = kein Bezug zum Viertel, weder durch Wohnsitz noch durch Arbeit
reason-rules_not_acknowledged = die Geschäftsordnung wurde nicht anerkannt
reason-unreachable = die Person war nicht erreichbar
reason-other_lawful = ein anderer Grund, den das Gesetz oder die Geschäftsordnung vorsieht

problem-title = Das hat nicht geklappt
problem-link_unknown = Dieser Link ist nicht mehr gültig oder existiert nicht. Benutzen Sie die letzte Nachricht, die Sie erhalten haben.
problem-wrong_code = Der Code ist nicht richtig. Prüfen Sie ihn und versuchen Sie es noch einmal.
problem-passwords_differ = Die beiden Passwörter stimmen nicht überein.
problem-password_weak = Dieses Passwort ist zu leicht zu erraten. Wählen Sie ein längeres.
problem-password_about_owner = Dieses Passwort enthält Ihren Namen oder Ihre E-Mail-Adresse. Bitte wählen Sie ein anderes.
problem-password_tried_first = Dieses Passwort würde man als eines der ersten versuchen. Wählen Sie mehrere Wörter, die nichts miteinander zu tun haben.
problem-too_many = Es gab zu viele Versuche. Warten Sie etwas und versuchen Sie es erneut.
problem-unavailable = Der Dienst ist im Moment nicht verfügbar. Versuchen Sie es in einigen Minuten erneut.
