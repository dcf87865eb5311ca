//! In production a partnership goes live only while others can tell our mail from forgeries.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use vigie::access::{Reach, Role};
use vigie::config::{Config, Environment};
use vigie::doctor::{Answer, CouldNotAsk, Resolver, Standing, Subject, Verdict, examine, record, standing};
use vigie::worker;

use super::cast::{Scene, mandated, plan, scene, square};
use crate::support::database::Kind;
use crate::support::{Town, logs};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The DNS of a domain that is as it should be, but for what is taken out of it.
#[derive(Clone)]
struct Names {
    texts: BTreeMap<&'static str, &'static str>,
    /// What the sending address is called, and where that name leads.
    called: Option<&'static str>,
    leads_to: &'static str,
    sick: bool,
}
impl Names {
    fn good() -> Self {
        let texts = [
            ("mons.example", "v=spf1 ip4:192.0.2.10 -all"),
            ("v1._domainkey.mons.example", "v=DKIM1; k=ed25519; p=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
            ("_dmarc.mons.example", "v=DMARC1; p=reject"),
        ];
        Self { texts: texts.into(), called: Some("relay.mons.example."), leads_to: "192.0.2.10", sick: false }
    }
    fn without(mut self, name: &str) -> Self {
        self.texts.remove(name).unwrap();
        self
    }
    fn without_a_name_for_the_address() -> Self {
        Self { called: None, ..Self::good() }
    }
    fn with_a_name_that_leads_elsewhere() -> Self {
        Self { leads_to: "192.0.2.99", ..Self::good() }
    }
    fn sick() -> Self {
        Self { sick: true, ..Self::good() }
    }
    fn answer<T>(&self, found: Vec<T>) -> Answer<T> {
        if self.sick { Err(CouldNotAsk("SERVFAIL".to_owned())) } else { Ok(found) }
    }
}
#[async_trait]
impl Resolver for Names {
    async fn txt(&self, name: &str) -> Answer<String> {
        self.answer(self.texts.get(name).map(|text| (*text).to_owned()).into_iter().collect())
    }
    async fn addresses(&self, _: &str, _: IpAddr) -> Answer<IpAddr> {
        self.answer(vec![self.leads_to.parse().unwrap()])
    }
    async fn mx(&self, _: &str) -> Answer<String> {
        self.answer(vec!["mail.mons.example.".to_owned()])
    }
    async fn ptr(&self, _: IpAddr) -> Answer<String> {
        self.answer(self.called.map(str::to_owned).into_iter().collect())
    }
}

/// A town for real people: production, with an identity that can be verified.
async fn on_both_in_production(test: impl AsyncFn(&Town)) {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        eprintln!("on {kind:?}");
        let town = Town::start_with(kind, |config| {
            config.environment = Environment::Production;
            config.email.from = "alert@mons.example".to_owned();
            config.email.dkim_selector = "v1".to_owned();
            config.email.sending_addresses = vec!["192.0.2.10".parse().unwrap()];
        })
        .await;
        test(&town).await;
        town.close().await;
    }
}
/// Everything but the mail.
async fn ready(town: &Town) -> Scene {
    let s = scene(town).await;
    let at = |path: &str| format!("/api/v1/partnerships/{}{path}", s.partnership);
    let reach = Reach::Partnership(s.partnership);
    let coordinator = mandated(town, "coordinator@example.be", Role::Coordinator, reach).await;
    let token = &s.officer.token;
    town.put(&at("/communication-plan"), token, "\"v0\"", plan()).await.expect(200);
    town.post(&at("/communication-plan/signature"), &coordinator.token, json!({"number": 1})).await.expect(201);
    let etag = town.get(&at(""), token).await.expect(200).etag.unwrap();
    town.put(&at("/perimeter"), token, &etag, json!({"polygon": square()})).await.expect(200);
    town.post(&at("/house-rules"), token, json!({"texts": {"fr": "Pas de patrouilles."}})).await.expect(201);
    s
}
/// What `vigie doctor mail` does.
async fn doctor(town: &Town, names: &Names) -> Verdict {
    let subject = Subject::of(&town.config);
    let report = examine(names, &subject, town.clock.now()).await;
    let verdict = report.verdict;
    town.db(move |tx| record(tx, &subject, &report)).await;
    verdict
}
async fn stands(town: &Town, config: &Arc<Config>) -> Standing {
    let config = Arc::clone(config);
    town.db(move |tx| standing(tx, &config)).await
}

/// accept M19: when SPF, DKIM, DMARC or PTR do not verify, the tenant cannot go live.
#[tokio::test(flavor = "multi_thread")]
async fn without_verified_mail_no_partnership_goes_live() {
    on_both_in_production(async |town| {
        let s = ready(town).await;
        let path = format!("/api/v1/partnerships/{}/activation", s.partnership);
        let refused = async |what: &str| {
            let reply = town.post(&path, &s.officer.token, json!({})).await.refused(409, "mail_not_verified");
            let detail = reply.problem(409, "refused").str("/detail");
            assert!(detail.contains(what) && detail.contains("`vigie doctor mail`"), "{detail}");
        };
        refused("nobody has examined").await;
        let broken = [
            (Names::good().without("mons.example"), "(SPF did not pass)"),
            (Names::good().without("v1._domainkey.mons.example"), "(DKIM did not pass)"),
            (Names::good().without("_dmarc.mons.example"), "(DMARC did not pass)"),
            (Names::without_a_name_for_the_address(), "(PTR did not pass)"),
            (Names::with_a_name_that_leads_elsewhere(), "(PTR did not pass)"),
        ];
        for (names, what) in broken {
            assert_eq!(doctor(town, &names).await, Verdict::Failed);
            refused(what).await;
        }
        assert_eq!(doctor(town, &Names::sick()).await, Verdict::Unknown);
        refused("(SPF, DKIM, DMARC, PTR did not pass)").await;
        assert_eq!(doctor(town, &Names::good()).await, Verdict::Passed);
        let active = town.post(&path, &s.officer.token, json!({})).await.expect(200);
        assert_eq!(active.str("/status"), "active");
    })
    .await;
}

/// accept M19
#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_counts_for_this_identity_and_for_thirty_days() {
    on_both_in_production(async |town| {
        assert_eq!(doctor(town, &Names::good()).await, Verdict::Passed);
        let changed = |change: fn(&mut Config)| {
            let mut config = (*town.config).clone();
            change(&mut config);
            Arc::new(config)
        };
        let others = [
            changed(|config| config.email.from = "alert@tournai.example".to_owned()),
            changed(|config| config.email.dkim_selector = "v2".to_owned()),
            changed(|config| config.email.sending_addresses.push("192.0.2.11".parse().unwrap())),
        ];
        for other in &others {
            assert_eq!(stands(town, other).await, Standing::NeverExamined);
        }
        assert_eq!(stands(town, &changed(|c| c.environment = Environment::Development)).await, Standing::DoesNotMatter);
        town.passes(30 * DAY - Duration::from_secs(1));
        assert_eq!(stands(town, &town.config).await, Standing::Verified);
        town.passes(Duration::from_secs(1));
        assert_eq!(stands(town, &town.config).await, Standing::Old);
    })
    .await;
}

/// accept M19: asked once a day by whichever node comes first; a fault is said aloud, and stops no mail.
#[tokio::test(flavor = "multi_thread")]
async fn the_worker_asks_once_a_day_and_raises_its_voice() {
    on_both_in_production(async |town| {
        let asks = async |names: &Names| worker::examine_mail(&town.database, &town.config, names).await.unwrap();
        let loud = |mark: usize| logs::since(mark).matches("can no longer be told from forgeries").count();
        let mark = logs::mark();
        let (good, bad) = (Names::good(), Names::good().without("_dmarc.mons.example"));
        let (a, b) = tokio::join!(asks(&good), asks(&good));
        assert_eq!([a, b].into_iter().flatten().collect::<Vec<_>>(), [Verdict::Passed], "two nodes, one examination");
        town.passes(DAY - Duration::from_secs(60));
        assert_eq!(asks(&good).await, None);
        town.passes(Duration::from_secs(60));
        // Nobody could be asked: again after an hour, and nothing is forgotten by it.
        assert_eq!(asks(&Names::sick()).await, Some(Verdict::Unknown));
        assert_eq!(asks(&bad).await, None);
        assert_eq!(loud(mark), 0);
        town.passes(Duration::from_secs(3_600));
        assert_eq!(asks(&bad).await, Some(Verdict::Failed));
        assert_eq!(loud(mark), 1);
        town.passes(DAY);
        assert_eq!(asks(&bad).await, Some(Verdict::Failed));
        assert_eq!(loud(mark), 1, "said once, not every day");
        town.passes(DAY);
        assert_eq!(asks(&good).await, Some(Verdict::Passed));
        assert_eq!(stands(town, &town.config).await, Standing::Verified);
    })
    .await;
}
