mail-urgent = DRINGEND
mail-exercise = ÜBUNG
mail-exercise-notice = ÜBUNG: Dies ist kein Ernstfall. Sie müssen nichts tun.
mail-validated = Diese Meldung wurde von der lokalen Polizei ({ $zone }) freigegeben.
mail-verify = Prüfen, ob diese Meldung echt ist
mail-leave = Das Nachbarschaftsinformationsnetz verlassen
mail-unsubscribe = Diese E-Mails nicht mehr erhalten
