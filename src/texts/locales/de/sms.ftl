# Only letters of the basic GSM alphabet: a letter outside it makes the message dearer. ä ö ü ß pass.
sms-contact_code = { $partnership }: Ihr Code ist { $code }. Geben Sie ihn niemandem weiter.
sms-waiting_for_officer = { $partnership }: Eine Meldung wartet auf Ihre Freigabe (Ref. { $code }).
sms-nothing_leaves = { $partnership }: Dringende Meldung { $code } geht nicht hinaus. Bei Bedarf anderen Weg nutzen, Betreiber von Vigie melden.
sms-stop = { $partnership }: Sie erhalten keine SMS mehr. Sonst ändert sich an Ihrer Anmeldung nichts. Im Notfall: 101 oder 112.
sms-exercise = ÜBUNG (Sie müssen nichts tun)
