//! Every verb of the system, as one enum. The policy says who holds each; the mounted routes ask for them.

crate::words! {
    /// A verb.
    pub enum Permission {
        /// Read what one is oneself: name, roles, places.
        ReadMe = "ReadMe",
        /// Prove once more who one is.
        StepUp = "StepUp",
        /// See one's own sign-ins.
        ListSessions = "ListSessions",
        /// Sign out here.
        EndSession = "EndSession",
        /// Sign out everywhere.
        EndSessions = "EndSessions",
        /// Change one's own password.
        ChangePassword = "ChangePassword",
        /// Enter a police zone.
        CreateZone = "CreateZone",
        /// Enter many police zones from a file.
        ImportZones = "ImportZones",
        /// Change a zone's numbers, hours and policies.
        UpdateZone = "UpdateZone",
        /// Enter a partnership.
        CreatePartnership = "CreatePartnership",
        /// List partnerships.
        ListPartnerships = "ListPartnerships",
        /// Read a partnership.
        ReadPartnership = "ReadPartnership",
        /// Change a partnership's names and municipalities.
        UpdatePartnership = "UpdatePartnership",
        /// Draw a partnership's perimeter.
        SetPerimeter = "SetPerimeter",
        /// Write and sign a communication plan for the police.
        SetPlan = "SetPlan",
        /// Read the communication plan.
        ReadPlan = "ReadPlan",
        /// Sign a communication plan for the partnership.
        SignPlan = "SignPlan",
        /// Lay down a version of the house rules (ROI).
        SetHouseRules = "SetHouseRules",
        /// Make a registered partnership active.
        ActivatePartnership = "ActivatePartnership",
        /// Suspend a partnership.
        SuspendPartnership = "SuspendPartnership",
        /// Give an institution's mandate: zone administrator, municipality, province, expertise centre, federal service.
        AppointInstitution = "AppointInstitution",
        /// Give a police officer a mandate in a zone.
        AppointOfficer = "AppointOfficer",
        /// Nominate a coordinator, a deputy or a member of the steering group.
        NominateInPartnership = "NominateInPartnership",
        /// Record the outcome of a screening.
        RecordScreening = "RecordScreening",
        /// Confirm a nomination.
        ConfirmMandate = "ConfirmMandate",
        /// End a mandate.
        EndMandate = "EndMandate",
        /// See who holds a mandate in a zone.
        ListZoneMandates = "ListZoneMandates",
        /// See who holds a mandate in a partnership.
        ListPartnershipMandates = "ListPartnershipMandates",
        /// List the members of a partnership, contacts masked.
        ListMembers = "ListMembers",
        /// Read one member, contacts masked.
        ReadMember = "ReadMember",
        /// Enter a member from a paper form.
        EnterMember = "EnterMember",
        /// Correct a member's name, address or language.
        UpdateMember = "UpdateMember",
        /// Admit an applicant.
        AdmitMember = "AdmitMember",
        /// Refuse an applicant for a lawful reason.
        RefuseMember = "RefuseMember",
        /// Record that a member moved, died or is entered twice.
        EndMembership = "EndMembership",
        /// Say that a contact that had failed works again.
        ClearSuspension = "ClearSuspension",
        /// See one member's contacts in full, for a reason.
        RevealContacts = "RevealContacts",
        /// Write a message.
        DraftMessage = "DraftMessage",
        /// List messages.
        ListMessages = "ListMessages",
        /// Read a message.
        ReadMessage = "ReadMessage",
        /// Change the texts of a message.
        EditMessage = "EditMessage",
        /// Hand a message to the police for approval.
        SubmitMessage = "SubmitMessage",
        /// Throw a draft away.
        DiscardMessage = "DiscardMessage",
        /// See exactly what would go out, and to whom.
        PreviewMessage = "PreviewMessage",
        /// Approve exactly what was seen; it leaves.
        ApproveMessage = "ApproveMessage",
        /// Give a message back to its author with a reason.
        ReturnMessage = "ReturnMessage",
        /// Refuse a message with a reason.
        RejectMessage = "RejectMessage",
        /// Release alone what the communication plan leaves to the partnership.
        ReleaseMessage = "ReleaseMessage",
        /// Stop a message that is going out.
        StopMessage = "StopMessage",
        /// Write an update, an end, feedback or a correction of a message.
        FollowUpMessage = "FollowUpMessage",
        /// Look back at a message that its author approved alone.
        ReviewMessage = "ReviewMessage",
        /// See how far a message has come, in counts.
        ReadProgress = "ReadProgress",
        /// See the state for each recipient, masked.
        ListRecipients = "ListRecipients",
        /// See what failed or expired, without addresses.
        ListDeadLetters = "ListDeadLetters",
        /// Put one delivery that failed or expired back into the queue.
        RequeueDeadLetter = "RequeueDeadLetter",
        /// Put all deliveries of a message that failed or expired back into the queue.
        RequeueDeadLetters = "RequeueDeadLetters",
        /// See alarms about urgent messages.
        ListAlarms = "ListAlarms",
        /// Take an alarm in hand.
        AcknowledgeAlarm = "AcknowledgeAlarm",
        /// See what waits for one.
        ReadInbox = "ReadInbox",
    }
}
