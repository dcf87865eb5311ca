page-languages = Sprache
page-code = Code
page-password = Passwort
page-password-repeat = Dasselbe Passwort noch einmal
page-password-hint = Wählen Sie ein langes Passwort, zum Beispiel mehrere Wörter, die nichts miteinander zu tun haben.

page-leave-title = Das Nachbarschaftsinformationsnetz verlassen
page-leave-body =
    Möchten Sie das Nachbarschaftsinformationsnetz „{ $partnership }“ verlassen?
    Sie erhalten dann keine Meldungen mehr, auch keine dringenden.
page-leave-button = Ja, ich verlasse das Netz

page-left-title = Sie haben das Netz verlassen
page-left-body =
    Sie sind nicht mehr Mitglied im Nachbarschaftsinformationsnetz „{ $partnership }“.
    Vielen Dank, dass Sie mitgemacht haben.

page-unsubscribe-title = Keine E-Mails mehr erhalten
page-unsubscribe-body =
    Möchten Sie keine E-Mails vom Nachbarschaftsinformationsnetz „{ $partnership }“ mehr erhalten?
    Sie bleiben Mitglied, und bei den SMS ändert sich nichts.
page-unsubscribe-button = Ja, keine E-Mails mehr

page-unsubscribed-title = Erledigt
page-unsubscribed-body =
    Sie erhalten keine E-Mails mehr vom Nachbarschaftsinformationsnetz „{ $partnership }“.
    Sie bleiben Mitglied.

page-confirm_contact-title = Ihre Kontaktdaten bestätigen
page-confirm_contact-body =
    Geben Sie den Code ein, den Sie vom Nachbarschaftsinformationsnetz „{ $partnership }“ erhalten haben.
page-confirm_contact-button = Bestätigen

page-contact_confirmed-title = Danke, das ist bestätigt
page-contact_confirmed-body =
    Ihre Kontaktdaten sind beim Nachbarschaftsinformationsnetz „{ $partnership }“ bestätigt.
    Sie können diese Seite schließen.

page-accept_invitation-title = Die Einladung annehmen
page-accept_invitation-body =
    Guten Tag { $name },
    { $inviter } lädt Sie ein. Ihre Aufgabe: { $role }.
    Wählen Sie ein Passwort, um anzunehmen.
page-accept_invitation-button = Annehmen

page-invitation_accepted-title = Ihr Konto ist bereit
page-invitation_accepted-body =
    Sie können sich jetzt mit Ihrer E-Mail-Adresse und Ihrem Passwort anmelden.

page-reset_password-title = Ein neues Passwort wählen
page-reset_password-body =
    Guten Tag { $name },
    wählen Sie ein neues Passwort für Ihr Konto. Danach müssen Sie sich überall neu anmelden.
page-reset_password-button = Speichern

page-password_reset-title = Ihr neues Passwort gilt
page-password_reset-body =
    Sie können sich jetzt mit Ihrer E-Mail-Adresse und Ihrem neuen Passwort anmelden.

page-verify-title = Eine Meldung prüfen
page-verify-genuine =
    Diese Meldung ist echt.
    Netz: { $partnership }. Polizei: { $zone }. Versandt: { $sent_at }.
page-verify-exercise =
    Dies ist eine ÜBUNG. Sie müssen nichts tun.
    Netz: { $partnership }. Polizei: { $zone }. Versandt: { $sent_at }.
page-verify-stopped =
    Diese Meldung wurde gestoppt. Beachten Sie sie nicht mehr.
    Netz: { $partnership }. Polizei: { $zone }. Versandt: { $sent_at }.
page-verify-corrected =
    Diese Meldung wurde berichtigt. Richten Sie sich nach der Berichtigung, die Sie erhalten haben.
    Netz: { $partnership }. Polizei: { $zone }. Versandt: { $sent_at }.
page-verify-unknown =
    Wir kennen diese Meldung nicht. Vielleicht kommt sie nicht von der Polizei.
    Öffnen Sie keine Links daraus und geben Sie keine Daten weiter. Rufen Sie im Zweifel Ihre lokale Polizei an.

page-my_data-title = Ihre Daten
page-my_data-body = Dies sind alle Daten, die wir über Sie aufbewahren.
page-my_data-memberships = Ihre Netze
page-my_data-none = Keine

data-name = Name
data-language = Sprache
data-email = E-Mail
data-mobile = Mobiltelefon
data-landline = Telefon
data-address = Adresse
data-point = Ort auf der Karte
data-basis = Bezug zum Viertel
data-adult = Volljährigkeit erklärt am
data-rules = Hausordnung angenommen (Fassung)
data-channel = Bevorzugter Weg
data-night = SMS in der Nacht
data-exercises = Nimmt an Übungen teil
data-email_stopped = E-Mails abbestellt
data-sms_stopped = SMS abbestellt
data-applied = Antrag gestellt am
data-joined = Mitglied seit
data-ended = Beendet am
data-yes = Ja
data-no = Nein

language-fr = Französisch
language-nl = Niederländisch
language-de = Deutsch
language-en = Englisch
basis-lives = wohnt dort
basis-works = arbeitet dort
basis-both = wohnt und arbeitet dort
channel-email = E-Mail
channel-sms = SMS
status-requested = Antrag eingegangen
status-contact_unverified = Kontaktdaten zu bestätigen
status-pending_approval = wartet auf die Antwort des Koordinators
status-active = Mitglied
status-paused = pausiert
status-review_due = Mitglied, dieses Jahr zu prüfen
status-unreachable = Mitglied, nicht erreichbar
status-suspended_provisional = vorläufig ausgeschlossen
status-refused = Antrag abgelehnt
status-left = kein Mitglied mehr
status-excluded = ausgeschlossen
status-anonymised = Daten gelöscht
