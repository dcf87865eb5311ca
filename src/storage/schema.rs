//! Every table as diesel knows it. Written by hand; the house test `schema` compares it with both migrated databases.
#![allow(missing_docs, reason = "the columns are documented in migrations/")]

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    regions (code) {
        code -> Text,
        names -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    provinces (code) {
        code -> Text,
        region -> Text,
        names -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    municipalities (nis_code) {
        nis_code -> Text,
        region -> Text,
        province -> Nullable<Text>,
        names -> Document,
        as_of -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    zones (id) {
        id -> Key,
        number -> Text,
        names -> Document,
        languages -> Document,
        phone -> Text,
        email -> Nullable<Text>,
        hours -> Document,
        own_message -> Text,
        version -> BigInt,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    zone_municipalities (nis_code) {
        nis_code -> Text,
        zone_id -> Key,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    persons (id) {
        id -> Key,
        name -> Nullable<Binary>,
        language -> Text,
        created_at -> Moment,
        erased_at -> Nullable<Moment>,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    contact_points (id) {
        id -> Key,
        person_id -> Key,
        kind -> Text,
        value -> Binary,
        value_index -> Binary,
        state -> Text,
        verified_at -> Nullable<Moment>,
        created_at -> Moment,
        trusted_from -> Nullable<Moment>,
        suspended_for -> Nullable<Text>,
        suspended_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    contact_codes (id) {
        id -> Key,
        contact_point_id -> Key,
        code_hash -> Binary,
        expires_at -> Moment,
        tries -> Integer,
        used_at -> Nullable<Moment>,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    accounts (id) {
        id -> Key,
        person_id -> Key,
        email -> Nullable<Binary>,
        email_index -> Nullable<Binary>,
        password_hash -> Nullable<Text>,
        status -> Text,
        version -> BigInt,
        created_at -> Moment,
        closed_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    account_tokens (id) {
        id -> Key,
        account_id -> Key,
        purpose -> Text,
        token_hash -> Binary,
        expires_at -> Moment,
        used_at -> Nullable<Moment>,
        details -> Nullable<Binary>,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    sessions (id) {
        id -> Key,
        account_id -> Key,
        created_at -> Moment,
        last_used_at -> Moment,
        expires_at -> Moment,
        stepped_up_at -> Nullable<Moment>,
        ended_at -> Nullable<Moment>,
        end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    refresh_tokens (id) {
        id -> Key,
        session_id -> Key,
        token_hash -> Binary,
        issued_at -> Moment,
        expires_at -> Moment,
        used_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    grants (id) {
        id -> Key,
        account_id -> Key,
        role -> Text,
        place_kind -> Text,
        place_ref -> Text,
        flags -> Document,
        from_at -> Moment,
        until_at -> Nullable<Moment>,
        ended_at -> Nullable<Moment>,
        end_reason -> Nullable<Text>,
        version -> BigInt,
        created_at -> Moment,
        created_by -> Nullable<Key>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    throttles (bucket, window_start) {
        bucket -> Binary,
        window_start -> Moment,
        used -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    decisions (id) {
        id -> BigInt,
        decided_at -> Moment,
        request_id -> Text,
        account_id -> Nullable<Key>,
        session_id -> Nullable<Key>,
        grant_id -> Nullable<Key>,
        permission -> Text,
        place -> Text,
        target -> Text,
        outcome -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    answers (owner, idempotency_key) {
        owner -> Text,
        idempotency_key -> Text,
        operation -> Text,
        body_hash -> Binary,
        answer -> Binary,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    partnerships (id) {
        id -> Key,
        zone_id -> Key,
        kind -> Text,
        names -> Document,
        short_name -> Text,
        status -> Text,
        status_reason -> Nullable<Text>,
        legal_ref -> Nullable<Text>,
        registered_ref -> Nullable<Text>,
        version -> BigInt,
        created_at -> Moment,
        created_by -> Nullable<Key>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    partnership_municipalities (partnership_id, nis_code) {
        partnership_id -> Key,
        nis_code -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    perimeters (id) {
        id -> Key,
        partnership_id -> Key,
        number -> Integer,
        polygon -> Document,
        created_at -> Moment,
        created_by -> Nullable<Key>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    communication_plans (id) {
        id -> Key,
        partnership_id -> Key,
        number -> Integer,
        content -> Document,
        signed_by_officer -> Key,
        officer_signed_at -> Moment,
        signed_by_coordinator -> Nullable<Key>,
        coordinator_signed_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    house_rules (id) {
        id -> Key,
        partnership_id -> Key,
        number -> Integer,
        texts -> Document,
        hash -> Text,
        created_at -> Moment,
        created_by -> Nullable<Key>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    mandates (id) {
        id -> Key,
        account_id -> Key,
        grant_id -> Nullable<Key>,
        role -> Text,
        place_kind -> Text,
        place_ref -> Text,
        status -> Text,
        declaration -> Nullable<Document>,
        screening_outcome -> Nullable<Text>,
        screened_at -> Nullable<Moment>,
        screening_valid_until -> Nullable<Moment>,
        screened_by -> Nullable<Key>,
        from_at -> Moment,
        until_at -> Nullable<Moment>,
        ended_at -> Nullable<Moment>,
        end_reason -> Nullable<Text>,
        version -> BigInt,
        created_at -> Moment,
        created_by -> Nullable<Key>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    memberships (id) {
        id -> Key,
        partnership_id -> Key,
        person_id -> Key,
        status -> Text,
        basis -> Text,
        address -> Nullable<Binary>,
        dwelling_index -> Nullable<Binary>,
        adult_declared_at -> Moment,
        adult_wording -> Text,
        adhesion_mode -> Nullable<Text>,
        adhesion_rules_number -> Nullable<Integer>,
        adhesion_at -> Nullable<Moment>,
        adhesion_received_by -> Nullable<Key>,
        form_reference -> Nullable<Text>,
        source -> Text,
        preferred_channel -> Text,
        sms_at_night -> Bool,
        email_stopped_at -> Nullable<Moment>,
        sms_stopped_at -> Nullable<Moment>,
        exercises -> Bool,
        applied_at -> Moment,
        joined_at -> Nullable<Moment>,
        ended_at -> Nullable<Moment>,
        end_reason -> Nullable<Text>,
        version -> BigInt,
        sms_stopped_index -> Nullable<Binary>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    inbound_sms (message_index) {
        message_index -> Binary,
        sender_index -> Binary,
        word -> Text,
        changed -> Integer,
        answer -> Nullable<Text>,
        received_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    messages (id) {
        id -> Key,
        partnership_id -> Key,
        thread_id -> Key,
        class -> Text,
        kind -> Text,
        mode -> Text,
        source -> Text,
        status -> Text,
        corrects_id -> Nullable<Key>,
        short_code -> Text,
        validity_minutes -> Integer,
        author_id -> Key,
        author_role -> Text,
        current_version -> Integer,
        submitted_by -> Nullable<Key>,
        submitted_at -> Nullable<Moment>,
        decided_by -> Nullable<Key>,
        decided_at -> Nullable<Moment>,
        reason -> Nullable<Text>,
        valid_until -> Nullable<Moment>,
        stopped_at -> Nullable<Moment>,
        completed_at -> Nullable<Moment>,
        version -> BigInt,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    message_versions (id) {
        id -> Key,
        message_id -> Key,
        number -> Integer,
        texts -> Document,
        rendered -> Document,
        audience -> Document,
        hash -> Text,
        created_by -> Key,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    approvals (id) {
        id -> Key,
        message_id -> Key,
        version_id -> Key,
        hash -> Text,
        plan_number -> Integer,
        policy -> Text,
        reason -> Nullable<Text>,
        checklist -> Document,
        audience -> Document,
        officer_id -> Key,
        approved_at -> Moment,
        after_review_due_at -> Nullable<Moment>,
        after_reviewed_by -> Nullable<Key>,
        after_reviewed_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    message_events (id) {
        id -> BigInt,
        message_id -> Key,
        happened_at -> Moment,
        account_id -> Nullable<Key>,
        event -> Text,
        from_status -> Text,
        to_status -> Text,
        version_number -> Integer,
        hash -> Text,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    contents (id) {
        id -> Key,
        batch_id -> Key,
        language -> Text,
        channel -> Text,
        body -> Nullable<Binary>,
        hash -> Text,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    deliveries (id) {
        id -> BigInt,
        batch_id -> Key,
        person_id -> Key,
        channel -> Text,
        lane -> SmallInt,
        content_id -> Nullable<Key>,
        membership_id -> Nullable<Key>,
        address -> Nullable<Binary>,
        state -> Text,
        reason -> Nullable<Text>,
        due_at -> Nullable<Moment>,
        deadline -> Moment,
        attempts -> Integer,
        lease -> Nullable<Key>,
        provider -> Nullable<Text>,
        reference -> Nullable<Text>,
        settled_at -> Nullable<Moment>,
        created_at -> Moment,
        round_from -> Integer,
        untried -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    alarms (id) {
        id -> Key,
        kind -> Text,
        subject -> Text,
        zone_id -> Nullable<Key>,
        raised_at -> Moment,
        seen_at -> Moment,
        told_at -> Nullable<Moment>,
        cleared_at -> Nullable<Moment>,
        acknowledged_at -> Nullable<Moment>,
        acknowledged_by -> Nullable<Key>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    attempts (id) {
        id -> BigInt,
        delivery_id -> BigInt,
        number -> Integer,
        lease -> Key,
        provider -> Text,
        started_at -> Moment,
        finished_at -> Nullable<Moment>,
        outcome -> Nullable<Text>,
        reference -> Nullable<Text>,
        reason -> Nullable<Text>,
        digest -> Nullable<Binary>,
        letterhead_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    /// As whom, from where and by which edition of the program mails are written.
    letterheads (id) {
        id -> BigInt,
        edition -> Integer,
        sender -> Text,
        sender_name -> Text,
        reply_to -> Text,
        message_id_domain -> Text,
        public_url -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    receipts (id) {
        id -> BigInt,
        delivery_id -> BigInt,
        provider -> Text,
        level -> Text,
        code -> Text,
        reference -> Nullable<Text>,
        received_at -> Moment,
        attempt -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    endpoint_faults (id) {
        id -> BigInt,
        delivery_id -> BigInt,
        attempt -> Integer,
        batch_id -> Key,
        person_id -> Key,
        channel -> Text,
        endpoint_index -> Binary,
        kind -> Text,
        reason -> Text,
        sent_at -> Moment,
        happened_at -> Moment,
        handled_at -> Nullable<Moment>,
        forgiven_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    duty_marks (duty) {
        duty -> Text,
        reached_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::{Document, Key, Moment};

    mail_checks (id) {
        id -> BigInt,
        domain -> Text,
        subject -> Text,
        verdict -> Text,
        summary -> Document,
        checked_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::sql::Moment;

    clock_marks (id) {
        id -> SmallInt,
        seen_at -> Moment,
        doubted_until -> Nullable<Moment>,
        machine -> Nullable<Text>,
        counter -> Nullable<BigInt>,
    }
}

diesel::joinable!(memberships -> persons (person_id));
diesel::joinable!(contact_points -> persons (person_id));
diesel::joinable!(accounts -> persons (person_id));
diesel::joinable!(partnerships -> zones (zone_id));
diesel::joinable!(messages -> partnerships (partnership_id));
diesel::joinable!(deliveries -> contents (content_id));
diesel::joinable!(sessions -> accounts (account_id));
diesel::joinable!(mandates -> accounts (account_id));
diesel::joinable!(memberships -> partnerships (partnership_id));
diesel::allow_tables_to_appear_in_same_query!(
    regions,
    provinces,
    municipalities,
    zones,
    zone_municipalities,
    persons,
    contact_points,
    contact_codes,
    accounts,
    account_tokens,
    sessions,
    refresh_tokens,
    grants,
    throttles,
    decisions,
    answers,
    partnerships,
    partnership_municipalities,
    perimeters,
    communication_plans,
    house_rules,
    mandates,
    memberships,
    inbound_sms,
    messages,
    message_versions,
    approvals,
    message_events,
    contents,
    deliveries,
    attempts,
    letterheads,
    receipts,
    alarms,
    endpoint_faults,
    duty_marks,
    mail_checks,
    clock_marks,
);
