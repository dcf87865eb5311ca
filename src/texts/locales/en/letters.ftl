letter-greeting = Hello,
letter-greeting-name = Dear { $name },
letter-automatic = This e-mail was sent to you automatically by the system of the local prevention partnerships (PLP).

letter-invitation-subject = PLP: invitation from { $inviter }
letter-invitation-body =
    { $inviter } invites you to join the system of the local prevention partnerships (PLP).

    Your role: { $role }.

    To accept, open the link below and choose a password. The link is valid for { $hours ->
        [one] { $hours } hour
       *[other] { $hours } hours
    }.

    If you did not expect this invitation, you need not do anything.
letter-invitation-link = Accept the invitation

letter-password_reset-subject = PLP: choose a new password
letter-password_reset-body =
    A new password was requested for your account.

    Open the link below to choose it. The link is valid for { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    } and works only once.

    If you did not ask for this, you need not do anything: your password stays the same.
letter-password_reset-link = Choose a new password

letter-password_changed-subject = PLP: your password was changed
letter-password_changed-body =
    The password of your account has just been changed.

    If this was not you, ask for a new password at once and tell your police zone.

letter-confirm_contact-subject = { $partnership }: please confirm your e-mail address
letter-confirm_contact-body =
    This e-mail address was given to the local prevention partnership "{ $partnership }".

    To confirm it, open the link below and enter this code: { $code }

    The code is valid for { $hours ->
        [one] { $hours } hour
       *[other] { $hours } hours
    }. Do not give it to anyone else.

    If this means nothing to you, you need not do anything: you will receive no further messages.
letter-confirm_contact-link = Confirm my address

letter-application_received-subject = { $partnership }: your request has arrived
letter-application_received-body =
    We have received your request to join the local prevention partnership "{ $partnership }".

    The coordinator still has to look at it. You will receive the answer by e-mail. Until then, you need not do anything.

letter-admitted-subject = { $partnership }: welcome
letter-admitted-body =
    You are now a member of the local prevention partnership "{ $partnership }". You will receive its urgent messages and its prevention advice.

    If you see something suspicious, call 101 first.

    You can leave the partnership at any time with the link below. Please keep this e-mail.
letter-admitted-link = Leave the partnership

letter-application_refused-subject = { $partnership }: answer to your request
letter-application_refused-body =
    Your request to join the local prevention partnership "{ $partnership }" was not accepted.

    Reason: { $reason }.

    If you do not agree, you can turn to the mandated officer of your police zone.

letter-left-subject = { $partnership }: you are no longer a member
letter-left-body =
    You are no longer a member of the local prevention partnership "{ $partnership }". You will not receive its messages any more.

    If you did not ask to leave, please tell the coordinator or your local police.

    Thank you for taking part.

letter-waiting_for_officer-subject = { $partnership }: a message is waiting for your approval
letter-waiting_for_officer-body =
    A message for the local prevention partnership "{ $partnership }" is waiting for your approval.

    Kind of message: { $kind }.

    For safety, its text is not in this e-mail. You can read it after signing in.
letter-waiting_for_officer-link = See the messages waiting for approval

letter-message_returned-subject = { $partnership }: please revise your message
letter-message_returned-body =
    Your message for the local prevention partnership "{ $partnership }" has not been sent yet. The police ask you to revise it.

    Reason: { $reason }

letter-message_rejected-subject = { $partnership }: your message was not accepted
letter-message_rejected-body =
    Your message for the local prevention partnership "{ $partnership }" was not accepted. It will not be sent.

    Reason: { $reason }

letter-message_approved-subject = { $partnership }: an urgent message has been released
letter-message_approved-body =
    An urgent message to the members of the local prevention partnership "{ $partnership }" was approved. It is now being sent.

    If this message seems wrong to you, tell the police zone at once.
letter-message_approved-link = Check this message

letter-after_review_due-subject = { $partnership }: an urgent message has to be reviewed
letter-after_review_due-body =
    An urgent message for the local prevention partnership "{ $partnership }" was approved by the officer who wrote it.

    Another officer now has to review it. Please do so as soon as possible.
letter-after_review_due-link = Review the message

letter-nothing_leaves-subject = { $partnership }: an urgent message is not leaving
letter-nothing_leaves-body =
    An urgent message to the members of the local prevention partnership "{ $partnership }" (reference { $code }) was approved, but for a while nobody has received it. Vigie keeps trying what may still arrive, for as long as the message is valid.

    Do not wait for it: warn people by another way if it matters now, and tell whoever runs Vigie. { $sms ->
        [suspended] You are told by e-mail only: no text messages go to your mobile number any more, as they no longer reached it. Tell whoever runs Vigie when it works again.
        [none] You are told by e-mail only: Vigie has no confirmed mobile number of yours.
       *[sent] You are told by e-mail and by text message, because one of the two may be what does not work.
    }
letter-nothing_leaves-link = See how far the message has come

letter-mandate_ended-subject = PLP: your role has ended
letter-mandate_ended-body =
    Your role "{ $role }" has ended. The access that came with it is closed.

    If this surprises you, please contact your police zone. Thank you for your commitment.

letter-contact_changed-subject = PLP: your contact details were changed
letter-contact_changed-body =
    Your contact details have just been changed.

    If you did not ask for this, tell your coordinator or your local police at once.

letter-member_stopped_sms-subject = { $partnership }: a member stopped text messages
letter-member_stopped_sms-body =
    A member of the local prevention partnership "{ $partnership }" stopped text messages by answering STOP.

    They stay a member, and the other channels do not change. The list of members shows who it is, and who cannot be reached at all any more.
letter-member_stopped_sms-link = See the list
