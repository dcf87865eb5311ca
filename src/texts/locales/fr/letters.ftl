letter-greeting = Bonjour,
letter-greeting-name = Bonjour { $name },
letter-automatic = Cet e-mail vous est envoyé automatiquement par le système des partenariats locaux de prévention (PLP).

letter-invitation-subject = PLP : invitation de { $inviter }
letter-invitation-body =
    { $inviter } vous invite à rejoindre le système des partenariats locaux de prévention (PLP).

    Votre rôle : { $role }.

    Pour accepter, ouvrez le lien ci-dessous et choisissez un mot de passe. Le lien reste valable { $hours ->
        [one] { $hours } heure
       *[other] { $hours } heures
    }.

    Si vous n'attendiez pas cette invitation, ne faites rien.
letter-invitation-link = Accepter l'invitation

letter-password_reset-subject = PLP : choisir un nouveau mot de passe
letter-password_reset-body =
    Un nouveau mot de passe a été demandé pour votre compte.

    Ouvrez le lien ci-dessous pour le choisir. Le lien reste valable { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    } et ne sert qu'une fois.

    Si vous n'avez rien demandé, ne faites rien : votre mot de passe reste le même.
letter-password_reset-link = Choisir un nouveau mot de passe

letter-password_changed-subject = PLP : votre mot de passe a été modifié
letter-password_changed-body =
    Le mot de passe de votre compte vient d'être modifié.

    Si ce n'était pas vous, demandez tout de suite un nouveau mot de passe et prévenez votre zone de police.

letter-confirm_contact-subject = { $partnership } : confirmez votre adresse e-mail
letter-confirm_contact-body =
    Cette adresse e-mail a été donnée au partenariat local de prévention « { $partnership } ».

    Pour la confirmer, ouvrez le lien ci-dessous et introduisez ce code : { $code }

    Le code reste valable { $hours ->
        [one] { $hours } heure
       *[other] { $hours } heures
    }. Ne le donnez à personne d'autre.

    Si cela ne vous dit rien, ne faites rien : vous ne recevrez pas d'autres messages.
letter-confirm_contact-link = Confirmer mon adresse

letter-application_received-subject = { $partnership } : votre demande est bien arrivée
letter-application_received-body =
    Nous avons bien reçu votre demande d'adhésion au partenariat local de prévention « { $partnership } ».

    Le coordinateur doit encore l'examiner. Vous recevrez sa réponse par e-mail. D'ici là, vous n'avez rien à faire.

letter-admitted-subject = { $partnership } : bienvenue
letter-admitted-body =
    Vous êtes maintenant membre du partenariat local de prévention « { $partnership } ». Vous recevrez ses messages urgents et ses conseils de prévention.

    Si vous voyez quelque chose de suspect, appelez d'abord le 101.

    Vous pouvez quitter le partenariat à tout moment, avec le lien ci-dessous. Conservez cet e-mail.
letter-admitted-link = Quitter le partenariat

letter-application_refused-subject = { $partnership } : réponse à votre demande
letter-application_refused-body =
    Votre demande d'adhésion au partenariat local de prévention « { $partnership } » n'a pas été acceptée.

    Motif : { $reason }.

    Si vous n'êtes pas d'accord, vous pouvez vous adresser au policier mandaté de votre zone de police.

letter-left-subject = { $partnership } : vous n'êtes plus membre
letter-left-body =
    Vous n'êtes plus membre du partenariat local de prévention « { $partnership } ». Vous ne recevrez plus ses messages.

    Si vous n'avez pas demandé à partir, prévenez le coordinateur ou votre police locale.

    Merci d'avoir participé.

letter-waiting_for_officer-subject = { $partnership } : un message attend votre validation
letter-waiting_for_officer-body =
    Un message pour le partenariat local de prévention « { $partnership } » attend votre validation.

    Type de message : { $kind }.

    Par sécurité, son texte ne figure pas dans cet e-mail. Vous le lirez après vous être connecté.
letter-waiting_for_officer-link = Voir les messages à valider

letter-message_returned-subject = { $partnership } : votre message est à revoir
letter-message_returned-body =
    Votre message pour le partenariat local de prévention « { $partnership } » n'a pas encore été envoyé. La police vous demande de le revoir.

    Motif : { $reason }

letter-message_rejected-subject = { $partnership } : votre message n'a pas été accepté
letter-message_rejected-body =
    Votre message pour le partenariat local de prévention « { $partnership } » n'a pas été accepté. Il ne sera pas envoyé.

    Motif : { $reason }

letter-message_approved-subject = { $partnership } : un message urgent est parti
letter-message_approved-body =
    Un message urgent pour les membres du partenariat local de prévention « { $partnership } » a été validé. Son envoi a commencé.

    Si ce message vous paraît anormal, prévenez tout de suite la zone de police.
letter-message_approved-link = Vérifier ce message

letter-after_review_due-subject = { $partnership } : un message urgent est à relire
letter-after_review_due-body =
    Un message urgent pour le partenariat local de prévention « { $partnership } » a été validé par le policier qui l'a écrit.

    Un autre policier doit maintenant le relire. Merci de le faire dès que possible.
letter-after_review_due-link = Relire le message

letter-nothing_leaves-subject = { $partnership } : un message urgent ne part pas
letter-nothing_leaves-body =
    Un message urgent pour les membres du partenariat local de prévention « { $partnership } » (référence { $code }) a été validé, mais depuis un moment personne ne le reçoit. Vigie réessaie ce qui peut encore arriver, tant que le message est valable.

    N'attendez pas : prévenez les gens par un autre moyen si c'est important maintenant, et avertissez la personne qui gère Vigie. { $sms ->
        [suspended] Vous l'apprenez seulement par e-mail : votre numéro de GSM ne reçoit plus de SMS de Vigie parce qu'ils n'y arrivaient plus. Dès qu'il fonctionne à nouveau, dites-le à la personne qui gère Vigie.
        [none] Vous l'apprenez seulement par e-mail : Vigie n'a pas de numéro de GSM confirmé pour vous.
       *[sent] Vous recevez un e-mail et un SMS, car l'un des deux ne fonctionne peut-être pas.
    }
letter-nothing_leaves-link = Voir où en est le message

letter-mandate_ended-subject = PLP : votre rôle a pris fin
letter-mandate_ended-body =
    Votre rôle « { $role } » a pris fin. Vous n'avez plus les accès qui y étaient liés.

    Si cela vous étonne, prenez contact avec votre zone de police. Merci pour votre engagement.

letter-contact_changed-subject = PLP : vos coordonnées ont été modifiées
letter-contact_changed-body =
    Vos coordonnées viennent d'être modifiées.

    Si ce n'était pas à votre demande, prévenez tout de suite votre coordinateur ou votre police locale.

letter-member_stopped_sms-subject = { $partnership } : un membre a arrêté les SMS
letter-member_stopped_sms-body =
    Un membre du partenariat local de prévention « { $partnership } » a arrêté les SMS en répondant STOP.

    Cette personne reste membre et les autres canaux ne changent pas. La liste des membres montre qui c'est, et qui n'est plus joignable du tout.
letter-member_stopped_sms-link = Voir la liste
