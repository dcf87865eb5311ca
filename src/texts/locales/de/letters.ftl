letter-greeting = Guten Tag,
letter-greeting-name = Guten Tag { $name },
letter-automatic = Diese E-Mail wird Ihnen automatisch vom System der Nachbarschaftsinformationsnetze (NIN) gesendet.

letter-invitation-subject = NIN: Einladung von { $inviter }
letter-invitation-body =
    { $inviter } lädt Sie in das System der Nachbarschaftsinformationsnetze (NIN) ein.

    Ihre Aufgabe: { $role }.

    Um die Einladung anzunehmen, öffnen Sie den Link unten und wählen Sie ein Passwort. Der Link ist { $hours ->
        [one] { $hours } Stunde
       *[other] { $hours } Stunden
    } gültig.

    Wenn Sie diese Einladung nicht erwartet haben, brauchen Sie nichts zu tun.
letter-invitation-link = Die Einladung annehmen

letter-password_reset-subject = NIN: ein neues Passwort wählen
letter-password_reset-body =
    Für Ihr Konto wurde ein neues Passwort angefordert.

    Öffnen Sie den Link unten, um es zu wählen. Der Link ist { $minutes ->
        [one] { $minutes } Minute
       *[other] { $minutes } Minuten
    } gültig und funktioniert nur einmal.

    Wenn Sie nichts angefordert haben, brauchen Sie nichts zu tun: Ihr Passwort bleibt gleich.
letter-password_reset-link = Ein neues Passwort wählen

letter-password_changed-subject = NIN: Ihr Passwort wurde geändert
letter-password_changed-body =
    Das Passwort Ihres Kontos wurde soeben geändert.

    Wenn Sie das nicht waren, fordern Sie sofort ein neues Passwort an und benachrichtigen Sie Ihre Polizeizone.

letter-confirm_contact-subject = { $partnership }: Bestätigen Sie Ihre E-Mail-Adresse
letter-confirm_contact-body =
    Diese E-Mail-Adresse wurde dem Nachbarschaftsinformationsnetz „{ $partnership }“ mitgeteilt.

    Um sie zu bestätigen, öffnen Sie den Link unten und geben Sie diesen Code ein: { $code }

    Der Code ist { $hours ->
        [one] { $hours } Stunde
       *[other] { $hours } Stunden
    } gültig. Geben Sie ihn niemandem weiter.

    Wenn Ihnen das nichts sagt, brauchen Sie nichts zu tun: Sie erhalten keine weiteren Nachrichten.
letter-confirm_contact-link = Meine Adresse bestätigen

letter-application_received-subject = { $partnership }: Ihr Antrag ist angekommen
letter-application_received-body =
    Wir haben Ihren Antrag auf Beitritt zum Nachbarschaftsinformationsnetz „{ $partnership }“ erhalten.

    Der Koordinator muss ihn noch prüfen. Sie erhalten die Antwort per E-Mail. Bis dahin brauchen Sie nichts zu tun.

letter-admitted-subject = { $partnership }: Willkommen
letter-admitted-body =
    Sie sind jetzt Mitglied im Nachbarschaftsinformationsnetz „{ $partnership }“. Sie erhalten ab jetzt die dringenden Meldungen und die Präventionstipps.

    Wenn Sie etwas Verdächtiges sehen, wählen Sie zuerst 101.

    Sie können das Netz jederzeit über den Link unten verlassen. Bewahren Sie diese E-Mail auf.
letter-admitted-link = Das Nachbarschaftsinformationsnetz verlassen

letter-application_refused-subject = { $partnership }: Antwort auf Ihren Antrag
letter-application_refused-body =
    Ihr Antrag auf Beitritt zum Nachbarschaftsinformationsnetz „{ $partnership }“ wurde nicht angenommen.

    Grund: { $reason }.

    Wenn Sie damit nicht einverstanden sind, können Sie sich an den beauftragten Polizeibeamten Ihrer Polizeizone wenden.

letter-left-subject = { $partnership }: Sie sind abgemeldet
letter-left-body =
    Sie sind nicht mehr Mitglied im Nachbarschaftsinformationsnetz „{ $partnership }“. Sie erhalten keine Meldungen mehr.

    Wenn Sie das nicht selbst gewünscht haben, benachrichtigen Sie den Koordinator oder Ihre lokale Polizei.

    Vielen Dank, dass Sie mitgemacht haben.

letter-waiting_for_officer-subject = { $partnership }: Eine Meldung wartet auf Ihre Freigabe
letter-waiting_for_officer-body =
    Eine Meldung für das Nachbarschaftsinformationsnetz „{ $partnership }“ wartet auf Ihre Freigabe.

    Art der Meldung: { $kind }.

    Aus Sicherheitsgründen steht der Text nicht in dieser E-Mail. Sie können ihn lesen, nachdem Sie sich angemeldet haben.
letter-waiting_for_officer-link = Die wartenden Meldungen ansehen

letter-message_returned-subject = { $partnership }: Bitte überarbeiten Sie Ihre Meldung
letter-message_returned-body =
    Ihre Meldung für das Nachbarschaftsinformationsnetz „{ $partnership }“ wurde noch nicht versandt. Die Polizei bittet Sie, sie zu überarbeiten.

    Grund: { $reason }

letter-message_rejected-subject = { $partnership }: Ihre Meldung wurde nicht angenommen
letter-message_rejected-body =
    Ihre Meldung für das Nachbarschaftsinformationsnetz „{ $partnership }“ wurde nicht angenommen. Sie wird nicht versandt.

    Grund: { $reason }

letter-message_approved-subject = { $partnership }: Eine dringende Meldung ist unterwegs
letter-message_approved-body =
    Eine dringende Meldung für die Mitglieder des Nachbarschaftsinformationsnetzes „{ $partnership }“ wurde freigegeben. Der Versand hat begonnen.

    Wenn Ihnen diese Meldung ungewöhnlich vorkommt, benachrichtigen Sie sofort die Polizeizone.
letter-message_approved-link = Diese Meldung prüfen

letter-after_review_due-subject = { $partnership }: Bitte lesen Sie eine dringende Meldung nach
letter-after_review_due-body =
    Eine dringende Meldung für das Nachbarschaftsinformationsnetz „{ $partnership }“ wurde von dem Polizeibeamten freigegeben, der sie selbst geschrieben hat.

    Ein anderer Polizeibeamter muss sie nun nachlesen. Bitte tun Sie dies so bald wie möglich.
letter-after_review_due-link = Die Meldung nachlesen

letter-nothing_leaves-subject = { $partnership }: Eine dringende Meldung geht nicht hinaus
letter-nothing_leaves-body =
    Eine dringende Meldung für die Mitglieder des Nachbarschaftsinformationsnetzes „{ $partnership }“ (Referenz { $code }) wurde freigegeben, aber seit einer Weile erhält sie niemand. Was noch ankommen kann, versucht Vigie weiter, solange die Meldung gültig ist.

    Warten Sie nicht: Warnen Sie auf anderem Weg, wenn es jetzt wichtig ist, und verständigen Sie den Betreiber von Vigie. { $sms ->
        [suspended] Sie erfahren es nur per E-Mail: An Ihre Mobilnummer gehen keine SMS mehr, weil sie dort nicht mehr ankamen. Sagen Sie es dem Betreiber von Vigie, sobald sie wieder funktioniert.
        [none] Sie erfahren es nur per E-Mail: Vigie hat keine bestätigte Mobilnummer von Ihnen.
       *[sent] Sie erhalten eine E-Mail und eine SMS, denn vielleicht ist einer der beiden Wege gestört.
    }
letter-nothing_leaves-link = Sehen, wie weit die Meldung ist

letter-mandate_ended-subject = NIN: Ihre Aufgabe ist beendet
letter-mandate_ended-body =
    Ihre Aufgabe „{ $role }“ ist beendet. Die damit verbundenen Zugänge sind gesperrt.

    Wenn Sie das überrascht, wenden Sie sich an Ihre Polizeizone. Vielen Dank für Ihren Einsatz.

letter-contact_changed-subject = NIN: Ihre Kontaktdaten wurden geändert
letter-contact_changed-body =
    Ihre Kontaktdaten wurden soeben geändert.

    Wenn Sie das nicht gewünscht haben, benachrichtigen Sie sofort Ihren Koordinator oder Ihre lokale Polizei.

letter-member_stopped_sms-subject = { $partnership }: Ein Mitglied hat die SMS abbestellt
letter-member_stopped_sms-body =
    Ein Mitglied im Nachbarschaftsinformationsnetz „{ $partnership }“ hat die SMS mit STOP abbestellt.

    Die Person bleibt Mitglied, und an den anderen Wegen ändert sich nichts. Die Mitgliederliste zeigt, wer es ist und wer gar nicht mehr erreichbar ist.
letter-member_stopped_sms-link = Die Liste ansehen
