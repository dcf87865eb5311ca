mail-urgent = URGENT
mail-exercise = EXERCISE
mail-exercise-notice = EXERCISE: this is not real. No action is needed.
mail-validated = This message was validated by the local police ({ $zone }).
mail-verify = Check that this message is genuine
mail-leave = Leave the partnership
mail-unsubscribe = Stop receiving these e-mails
