letter-greeting = Goedendag,
letter-greeting-name = Goedendag { $name },
letter-automatic = Deze e-mail wordt u automatisch gestuurd door het systeem van de buurtinformatienetwerken (BIN).

letter-invitation-subject = BIN: uitnodiging van { $inviter }
letter-invitation-body =
    { $inviter } nodigt u uit voor het systeem van de buurtinformatienetwerken (BIN).

    Uw rol: { $role }.

    Om te aanvaarden, opent u de link hieronder en kiest u een wachtwoord. De link blijft { $hours ->
        [one] { $hours } uur
       *[other] { $hours } uur
    } geldig.

    Verwachtte u deze uitnodiging niet? Dan hoeft u niets te doen.
letter-invitation-link = De uitnodiging aanvaarden

letter-password_reset-subject = BIN: een nieuw wachtwoord kiezen
letter-password_reset-body =
    Er werd een nieuw wachtwoord gevraagd voor uw account.

    Open de link hieronder om het te kiezen. De link blijft { $minutes ->
        [one] { $minutes } minuut
       *[other] { $minutes } minuten
    } geldig en werkt maar één keer.

    Hebt u niets gevraagd? Dan hoeft u niets te doen: uw wachtwoord blijft hetzelfde.
letter-password_reset-link = Een nieuw wachtwoord kiezen

letter-password_changed-subject = BIN: uw wachtwoord is gewijzigd
letter-password_changed-body =
    Het wachtwoord van uw account is zonet gewijzigd.

    Was u dat niet? Vraag dan meteen een nieuw wachtwoord aan en verwittig uw politiezone.

letter-confirm_contact-subject = { $partnership }: bevestig uw e-mailadres
letter-confirm_contact-body =
    Dit e-mailadres werd opgegeven aan het buurtinformatienetwerk "{ $partnership }".

    Om het te bevestigen, opent u de link hieronder en vult u deze code in: { $code }

    De code blijft { $hours ->
        [one] { $hours } uur
       *[other] { $hours } uur
    } geldig. Geef hem aan niemand anders.

    Zegt dit u niets? Dan hoeft u niets te doen: u krijgt geen andere berichten.
letter-confirm_contact-link = Mijn adres bevestigen

letter-application_received-subject = { $partnership }: uw aanvraag is goed aangekomen
letter-application_received-body =
    Wij hebben uw aanvraag om lid te worden van het buurtinformatienetwerk "{ $partnership }" goed ontvangen.

    De coördinator moet ze nog bekijken. U krijgt het antwoord per e-mail. Tot dan hoeft u niets te doen.

letter-admitted-subject = { $partnership }: welkom
letter-admitted-body =
    U bent nu lid van het buurtinformatienetwerk "{ $partnership }". U krijgt voortaan de dringende berichten en de preventietips.

    Ziet u iets verdachts? Bel dan eerst 101.

    U kunt het netwerk op elk moment verlaten met de link hieronder. Bewaar deze e-mail.
letter-admitted-link = Het buurtinformatienetwerk verlaten

letter-application_refused-subject = { $partnership }: antwoord op uw aanvraag
letter-application_refused-body =
    Uw aanvraag om lid te worden van het buurtinformatienetwerk "{ $partnership }" werd niet aanvaard.

    Reden: { $reason }.

    Bent u het daar niet mee eens? Dan kunt u terecht bij de gemandateerde politiebeambte van uw politiezone.

letter-left-subject = { $partnership }: u bent uitgeschreven
letter-left-body =
    U bent geen lid meer van het buurtinformatienetwerk "{ $partnership }". U krijgt geen berichten meer.

    Hebt u dit niet zelf gevraagd? Verwittig dan de coördinator of uw lokale politie.

    Bedankt voor uw deelname.

letter-waiting_for_officer-subject = { $partnership }: een bericht wacht op uw goedkeuring
letter-waiting_for_officer-body =
    Een bericht voor het buurtinformatienetwerk "{ $partnership }" wacht op uw goedkeuring.

    Soort bericht: { $kind }.

    Om veiligheidsredenen staat de tekst niet in deze e-mail. U kunt hem lezen nadat u zich hebt aangemeld.
letter-waiting_for_officer-link = De berichten bekijken die op goedkeuring wachten

letter-message_returned-subject = { $partnership }: gelieve uw bericht aan te passen
letter-message_returned-body =
    Uw bericht voor het buurtinformatienetwerk "{ $partnership }" is nog niet verstuurd. De politie vraagt u om het aan te passen.

    Reden: { $reason }

letter-message_rejected-subject = { $partnership }: uw bericht werd niet aanvaard
letter-message_rejected-body =
    Uw bericht voor het buurtinformatienetwerk "{ $partnership }" werd niet aanvaard. Het wordt niet verstuurd.

    Reden: { $reason }

letter-message_approved-subject = { $partnership }: een dringend bericht is vertrokken
letter-message_approved-body =
    Een dringend bericht voor de leden van het buurtinformatienetwerk "{ $partnership }" werd goedgekeurd. De verzending is begonnen.

    Lijkt dit bericht u niet normaal? Verwittig dan meteen de politiezone.
letter-message_approved-link = Dit bericht controleren

letter-after_review_due-subject = { $partnership }: gelieve een dringend bericht na te lezen
letter-after_review_due-body =
    Een dringend bericht voor het buurtinformatienetwerk "{ $partnership }" werd goedgekeurd door de politiebeambte die het zelf schreef.

    Een andere politiebeambte moet het nu nalezen. Gelieve dit zo snel mogelijk te doen.
letter-after_review_due-link = Het bericht nalezen

letter-nothing_leaves-subject = { $partnership }: een dringend bericht vertrekt niet
letter-nothing_leaves-body =
    Een dringend bericht voor de leden van het buurtinformatienetwerk "{ $partnership }" (referentie { $code }) werd goedgekeurd, maar al een tijdje ontvangt niemand het. Wat nog kan aankomen blijft Vigie proberen zolang het bericht geldig is.

    Wacht er niet op: verwittig de mensen op een andere manier als het nu belangrijk is, en verwittig wie Vigie beheert. { $sms ->
        [suspended] U verneemt dit alleen per e-mail: naar uw gsm-nummer vertrekken geen sms-berichten meer omdat ze er niet meer aankwamen. Zeg het aan wie Vigie beheert zodra het weer werkt.
        [none] U verneemt dit alleen per e-mail: Vigie heeft geen bevestigd gsm-nummer van u.
       *[sent] U krijgt een e-mail en een sms, want misschien werkt een van beide niet.
    }
letter-nothing_leaves-link = Bekijken hoe ver het bericht staat

letter-mandate_ended-subject = BIN: uw rol is beëindigd
letter-mandate_ended-body =
    Uw rol "{ $role }" is beëindigd. U hebt geen toegang meer tot wat daarbij hoorde.

    Verbaast u dat? Neem dan contact op met uw politiezone. Bedankt voor uw inzet.

letter-contact_changed-subject = BIN: uw contactgegevens zijn gewijzigd
letter-contact_changed-body =
    Uw contactgegevens zijn zonet gewijzigd.

    Hebt u dit niet zelf gevraagd? Verwittig dan meteen uw coördinator of uw lokale politie.

letter-member_stopped_sms-subject = { $partnership }: een lid heeft de sms stopgezet
letter-member_stopped_sms-body =
    Een lid van het buurtinformatienetwerk "{ $partnership }" heeft met STOP de sms stopgezet.

    Deze persoon blijft lid en de andere kanalen veranderen niet. De ledenlijst toont wie het is, en wie helemaal niet meer bereikbaar is.
letter-member_stopped_sms-link = De lijst bekijken
