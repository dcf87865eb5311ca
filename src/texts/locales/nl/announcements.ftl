mail-urgent = DRINGEND
mail-exercise = OEFENING
mail-exercise-notice = OEFENING: dit is niet echt. U hoeft niets te doen.
mail-validated = Dit bericht werd goedgekeurd door de lokale politie ({ $zone }).
mail-verify = Controleren of dit bericht echt is
mail-leave = Het buurtinformatienetwerk verlaten
mail-unsubscribe = Deze e-mails niet meer ontvangen
