page-languages = Langue
page-code = Code
page-password = Mot de passe
page-password-repeat = Le même mot de passe, encore une fois
page-password-hint = Choisissez un mot de passe long, par exemple plusieurs mots qui n'ont rien à voir entre eux.

page-leave-title = Quitter le partenariat
page-leave-body =
    Voulez-vous quitter le partenariat local de prévention « { $partnership } » ?
    Vous ne recevrez plus aucun de ses messages, même urgents.
page-leave-button = Oui, je quitte le partenariat

page-left-title = Vous avez quitté le partenariat
page-left-body =
    Vous n'êtes plus membre du partenariat local de prévention « { $partnership } ».
    Merci d'avoir participé.

page-unsubscribe-title = Ne plus recevoir d'e-mails
page-unsubscribe-body =
    Voulez-vous ne plus recevoir d'e-mails du partenariat local de prévention « { $partnership } » ?
    Vous restez membre, et rien ne change pour les SMS.
page-unsubscribe-button = Oui, arrêter les e-mails

page-unsubscribed-title = C'est fait
page-unsubscribed-body =
    Vous ne recevrez plus d'e-mails du partenariat local de prévention « { $partnership } ».
    Vous restez membre.

page-confirm_contact-title = Confirmer vos coordonnées
page-confirm_contact-body =
    Introduisez le code que vous avez reçu du partenariat local de prévention « { $partnership } ».
page-confirm_contact-button = Confirmer

page-contact_confirmed-title = Merci, c'est confirmé
page-contact_confirmed-body =
    Vos coordonnées sont confirmées auprès du partenariat local de prévention « { $partnership } ».
    Vous pouvez fermer cette page.

page-accept_invitation-title = Accepter l'invitation
page-accept_invitation-body =
    Bonjour { $name },
    { $inviter } vous invite. Votre rôle : { $role }.
    Choisissez un mot de passe pour accepter.
page-accept_invitation-button = Accepter

page-invitation_accepted-title = Votre compte est prêt
page-invitation_accepted-body =
    Vous pouvez maintenant vous connecter avec votre adresse e-mail et votre mot de passe.

page-reset_password-title = Choisir un nouveau mot de passe
page-reset_password-body =
    Bonjour { $name },
    choisissez un nouveau mot de passe pour votre compte. Vous devrez ensuite vous reconnecter partout.
page-reset_password-button = Enregistrer

page-password_reset-title = Votre nouveau mot de passe est actif
page-password_reset-body =
    Vous pouvez maintenant vous connecter avec votre adresse e-mail et votre nouveau mot de passe.

page-verify-title = Vérification d'un message
page-verify-genuine =
    Ce message est authentique.
    Partenariat : { $partnership }. Police : { $zone }. Envoyé : { $sent_at }.
page-verify-exercise =
    Ceci est un EXERCICE. Vous n'avez rien à faire.
    Partenariat : { $partnership }. Police : { $zone }. Envoyé : { $sent_at }.
page-verify-stopped =
    Ce message a été arrêté. N'en tenez plus compte.
    Partenariat : { $partnership }. Police : { $zone }. Envoyé : { $sent_at }.
page-verify-corrected =
    Ce message a été rectifié. Suivez la rectification que vous avez reçue.
    Partenariat : { $partnership }. Police : { $zone }. Envoyé : { $sent_at }.
page-verify-unknown =
    Nous ne connaissons pas ce message. Il ne vient peut-être pas de la police.
    N'ouvrez pas ses liens et ne donnez aucune information. En cas de doute, appelez votre police locale.

page-my_data-title = Vos données
page-my_data-body = Voici toutes les données que nous conservons à votre sujet.
page-my_data-memberships = Vos partenariats
page-my_data-none = Aucun

data-name = Nom
data-language = Langue
data-email = E-mail
data-mobile = GSM
data-landline = Téléphone
data-address = Adresse
data-point = Place sur la carte
data-basis = Lien avec le quartier
data-adult = Majorité déclarée le
data-rules = Règlement d'ordre intérieur accepté (version)
data-channel = Moyen préféré
data-night = SMS la nuit
data-exercises = Participe aux exercices
data-email_stopped = E-mails arrêtés
data-sms_stopped = SMS arrêtés
data-applied = Demande introduite le
data-joined = Membre depuis le
data-ended = Fin le
data-yes = Oui
data-no = Non

language-fr = Français
language-nl = Néerlandais
language-de = Allemand
language-en = Anglais
basis-lives = y habite
basis-works = y travaille
basis-both = y habite et y travaille
channel-email = e-mail
channel-sms = SMS
status-requested = demande reçue
status-contact_unverified = coordonnées à confirmer
status-pending_approval = attend la réponse du coordinateur
status-active = membre
status-paused = en pause
status-review_due = membre, à revoir cette année
status-unreachable = membre, injoignable
status-suspended_provisional = suspendu
status-refused = demande refusée
status-left = n'est plus membre
status-excluded = exclu
status-anonymised = données effacées
