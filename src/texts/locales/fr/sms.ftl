# Only letters of the basic GSM alphabet: a letter outside it makes the message dearer. Of the accents, é è à ù pass.
sms-contact_code = { $partnership }: votre code est { $code }. Ne le donnez à personne d'autre.
sms-waiting_for_officer = { $partnership }: un message attend votre validation (réf. { $code }).
sms-nothing_leaves = { $partnership }: le message urgent { $code } ne part pas. Passez par un autre moyen si besoin et prévenez le gestionnaire de Vigie.
sms-stop = { $partnership }: vous ne recevrez plus de SMS. Le reste de votre inscription ne change pas. Urgence: 101 ou 112.
sms-exercise = EXERCICE (rien à faire)
