mail-urgent = URGENT
mail-exercise = EXERCICE
mail-exercise-notice = EXERCICE : ceci n'est pas réel. Vous n'avez rien à faire.
mail-validated = Ce message a été validé par la police locale ({ $zone }).
mail-verify = Vérifier que ce message est authentique
mail-leave = Quitter le partenariat
mail-unsubscribe = Ne plus recevoir ces e-mails
