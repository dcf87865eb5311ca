# Only letters of the basic GSM alphabet: a letter outside it makes the message dearer. ä ö ü ß pass.
sms-contact_code = { $partnership }: Ihr Code ist { $code }. Geben Sie ihn niemandem weiter.
sms-waiting_for_officer = { $partnership }: Eine Meldung wartet auf Ihre Freigabe (Ref. { $code }).
sms-stop = { $partnership }: Sie erhalten keine SMS mehr. E-Mails kommen weiter, Sie bleiben Mitglied. Doch wieder: START an dieselbe Nummer. Notfall: 101 oder 112.
sms-stop_last = { $partnership }: keine SMS mehr. Ohne gültige E-Mail-Adresse erreicht Sie keine Meldung. Sie bleiben Mitglied. Doch wieder: START an dieselbe Nummer.
sms-stop_outside = { $partnership }: keine SMS mehr an diese Nummer. Notfall: 101 oder 112.
sms-start = { $partnership }: Sie erhalten wieder SMS. Beenden: STOP. Notfall: 101 oder 112.
sms-help = { $partnership }: Meldungen Ihrer PLP und der lokalen Polizei. Antworten liest niemand. Keine SMS mehr: STOP. Notfall: 101 oder 112.
sms-nobody_reads = { $partnership }: Diese SMS liest niemand. Notfall: Rufen Sie 101 (Polizei) oder 112 an. Keine SMS mehr: STOP.
sms-nothing_leaves = { $partnership }: Dringende Meldung { $code } geht nicht hinaus. Bei Bedarf anderen Weg nutzen, Betreiber von Vigie melden.
sms-exercise = ÜBUNG (Sie müssen nichts tun)
