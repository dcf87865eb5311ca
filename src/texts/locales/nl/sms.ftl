# Only letters of the basic GSM alphabet: a letter outside it makes the message dearer. Of the accents, é è ö ü pass.
sms-contact_code = { $partnership }: uw code is { $code }. Geef hem aan niemand anders.
sms-waiting_for_officer = { $partnership }: een bericht wacht op uw goedkeuring (ref. { $code }).
sms-nothing_leaves = { $partnership }: het dringende bericht { $code } vertrekt niet. Gebruik zo nodig een andere weg en verwittig wie Vigie beheert.
sms-stop = { $partnership }: u krijgt geen sms meer. De rest van uw inschrijving verandert niet. In nood: 101 of 112.
sms-exercise = OEFENING (u hoeft niets te doen)
