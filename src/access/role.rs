//! The roles a grant can carry. Their French, Dutch and German names stand in the glossary.

crate::words! {
    /// What somebody is, at the place of the grant.
    pub enum Role {
        /// Member of a partnership.
        Member = "MEM",
        /// Member of the steering group of a partnership.
        Steering = "STG",
        /// Deputy coordinator of a partnership.
        Deputy = "DEP",
        /// Coordinator of a partnership.
        Coordinator = "COO",
        /// Police officer with a mandate in a zone.
        Officer = "MAN",
        /// Administrator of a police zone.
        ZoneAdministrator = "ZAD",
        /// Municipality: authority and prevention service.
        Municipality = "MUN",
        /// Provincial steering group.
        Province = "PRV",
        /// Expertise centre.
        Expertise = "EXP",
        /// Federal public service Home Affairs.
        Federal = "FED",
    }
}
