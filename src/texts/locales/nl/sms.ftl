# Only letters of the basic GSM alphabet: a letter outside it makes the message dearer. Of the accents, é è ö ü pass.
sms-contact_code = { $partnership }: uw code is { $code }. Geef hem aan niemand anders.
sms-waiting_for_officer = { $partnership }: een bericht wacht op uw goedkeuring (ref. { $code }).
sms-stop = { $partnership }: u krijgt geen sms meer. E-mails gaan door, u blijft lid. Toch weer: START naar hetzelfde nummer. In nood: 101 of 112.
sms-stop_last = { $partnership }: geen sms meer. Zonder werkend e-mailadres krijgt u geen enkel bericht. U blijft lid. Toch weer: START naar hetzelfde nummer.
sms-stop_outside = { $partnership }: geen sms meer naar dit nummer. In nood: 101 of 112.
sms-start = { $partnership }: u krijgt weer sms. Om te stoppen: STOP. In nood: 101 of 112.
sms-help = { $partnership }: berichten van uw BIN en de lokale politie. Niemand leest antwoorden. Geen sms meer: STOP. In nood: 101 of 112.
sms-nobody_reads = { $partnership }: niemand leest deze sms. In nood: bel 101 (politie) of 112. Geen sms meer: STOP.
sms-nothing_leaves = { $partnership }: het dringende bericht { $code } vertrekt niet. Gebruik zo nodig een andere weg en verwittig wie Vigie beheert.
sms-exercise = OEFENING (u hoeft niets te doen)
