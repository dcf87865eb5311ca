//! When one does not write, and when one may again: by the clocks of Belgium. Pure.

use chrono::{Datelike, NaiveDate, TimeZone, Timelike};

use crate::values::Timestamp;

/// SMS at night are left out for those who chose so: from this hour
const NIGHT_FROM: u32 = 22;
/// until this hour.
const NIGHT_UNTIL: u32 = 7;

/// The moment at or after `now` that lies outside the quiet hours of the plan, by the clocks of Belgium.
#[must_use]
pub(super) fn after_quiet_hours(now: Timestamp, from_hour: u8, until_hour: u8) -> Timestamp {
    let local = now.in_belgium();
    let (hour, from, until) = (local.hour(), u32::from(from_hour), u32::from(until_hour));
    let quiet = if from <= until { (from..until).contains(&hour) } else { hour >= from || hour < until };
    if !quiet {
        return now;
    }
    let ends_today = hour < until;
    let today: NaiveDate = local.date_naive();
    let day = if ends_today { today } else { today.succ_opt().unwrap_or(today) };
    // Where a clock change leaves the hour out, the next one that exists is taken.
    (until..until.saturating_add(3))
        .find_map(|hour| {
            chrono_tz::Europe::Brussels.with_ymd_and_hms(day.year(), day.month(), day.day(), hour, 0, 0).earliest()
        })
        .map_or(now, |at| at.with_timezone(&chrono::Utc).into())
}
/// Is it night, as members chose to have no SMS then?
#[must_use]
pub(super) fn is_night(now: Timestamp) -> bool {
    let hour = now.in_belgium().hour();
    !(NIGHT_UNTIL..NIGHT_FROM).contains(&hour)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// By the clocks of Belgium; where an hour comes twice, `earliest` says which.
    pub(in crate::messages) fn belgium(month: u32, day: u32, hour: u32, minute: u32, earliest: bool) -> Timestamp {
        let local = chrono_tz::Europe::Brussels.with_ymd_and_hms(2026, month, day, hour, minute, 0);
        let at = if earliest { local.earliest() } else { local.latest() };
        at.unwrap().with_timezone(&chrono::Utc).into()
    }
    fn utc(text: &str) -> Timestamp {
        chrono::DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&chrono::Utc).into()
    }

    /// The clocks of Belgium go forward on 2026-03-29 at two and back on 2026-10-25 at three.
    #[test]
    fn quiet_hours_end_by_the_clock_on_the_wall() {
        let cases = [
            // An ordinary night, from either side of midnight, and the last second of it.
            (belgium(3, 2, 21, 0, true), 21, 8, utc("2026-03-03T07:00:00Z")),
            (belgium(3, 3, 0, 30, true), 21, 8, utc("2026-03-03T07:00:00Z")),
            (belgium(3, 3, 7, 59, true), 21, 8, utc("2026-03-03T07:00:00Z")),
            // The last night of a month and of the year.
            (belgium(4, 30, 22, 0, true), 21, 8, utc("2026-05-01T06:00:00Z")),
            (belgium(12, 31, 23, 0, true), 21, 8, utc("2027-01-01T07:00:00Z")),
            // A rest at noon.
            (belgium(3, 2, 13, 10, true), 13, 15, utc("2026-03-02T14:00:00Z")),
            // The short night: eight in the morning is summer time already.
            (belgium(3, 28, 22, 0, true), 21, 8, utc("2026-03-29T06:00:00Z")),
            (belgium(3, 29, 1, 30, true), 21, 8, utc("2026-03-29T06:00:00Z")),
            // Two o'clock does not exist that night: three is taken.
            (belgium(3, 29, 1, 30, true), 21, 2, utc("2026-03-29T01:00:00Z")),
            (belgium(3, 29, 1, 30, true), 21, 3, utc("2026-03-29T01:00:00Z")),
            // The long night: eight in the morning is winter time already.
            (belgium(10, 24, 22, 0, true), 21, 8, utc("2026-10-25T07:00:00Z")),
            // Half past two comes twice; three comes once.
            (belgium(10, 25, 2, 30, true), 21, 3, utc("2026-10-25T02:00:00Z")),
            (belgium(10, 25, 2, 30, false), 21, 3, utc("2026-10-25T02:00:00Z")),
            // Two comes twice; the first one ends the quiet.
            (belgium(10, 25, 1, 30, true), 21, 2, utc("2026-10-25T00:00:00Z")),
        ];
        for (now, from, until, expected) in cases {
            assert_eq!(after_quiet_hours(now, from, until), expected, "{now} {from} to {until}");
            assert!(after_quiet_hours(expected, from, until) == expected, "{expected} is no longer quiet");
        }
        for (now, from, until) in [
            (belgium(3, 2, 20, 59, true), 21, 8),
            (belgium(3, 2, 8, 0, true), 21, 8),
            (belgium(3, 2, 15, 0, true), 13, 15),
            (belgium(3, 2, 3, 0, true), 8, 8),
            (belgium(3, 29, 3, 0, true), 21, 3),
            (belgium(10, 25, 2, 10, false), 21, 2),
        ] {
            assert_eq!(after_quiet_hours(now, from, until), now, "{now} {from} to {until} is not quiet");
        }
    }
}
