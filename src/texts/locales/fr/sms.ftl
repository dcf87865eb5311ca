# Only letters of the basic GSM alphabet: a letter outside it makes the message dearer. Of the accents, é è à ù pass.
sms-contact_code = { $partnership }: votre code est { $code }. Ne le donnez à personne d'autre.
sms-waiting_for_officer = { $partnership }: un message attend votre validation (réf. { $code }).
sms-stop = { $partnership }: plus de SMS pour vous. Les e-mails continuent, vous restez membre. Annuler: START au numéro du STOP. Urgence: 101 ou 112.
sms-stop_last = { $partnership }: plus de SMS. Sans adresse e-mail active, aucun message ne vous parvient. Vous restez membre. Annuler: START au numéro du STOP.
sms-stop_outside = { $partnership }: plus de SMS à ce numéro. Urgence: 101 ou 112.
sms-start = { $partnership }: vous recevez à nouveau les SMS. Pour y mettre fin: STOP. Urgence: 101 ou 112.
sms-help = { $partnership }: messages de votre PLP et de la police locale. Personne ne lit les réponses. Fin des SMS: STOP. Urgence: 101 ou 112.
sms-nobody_reads = { $partnership }: personne ne lit ce SMS. Urgence: appelez le 101 (police) ou le 112. Fin des SMS: STOP.
sms-nothing_leaves = { $partnership }: le message urgent { $code } ne part pas. Passez par un autre moyen si besoin et prévenez le gestionnaire de Vigie.
sms-exercise = EXERCICE (rien à faire)
