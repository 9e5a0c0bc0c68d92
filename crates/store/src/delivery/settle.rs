use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use mf_domain::{DeliveryId, DeliveryState, WebhookId};
use uuid::Uuid;

use super::{
    keepable,
    standing::{Hopeless, Tally},
};
use crate::{StoreResult, SystemTx, word::Word};

/// What came of an attempt.
#[derive(Clone)]
pub struct SettledDelivery {
    /// Which delivery.
    pub id: DeliveryId,
    /// The claim under which it was made.
    pub claim: Uuid,
    /// How often the webhook had begun anew by then.
    pub generation: i32,
    /// When it began.
    pub at: DateTime<Utc>,
    /// Whether the endpoint took it.
    pub success: bool,
    /// The endpoint's answer.
    pub status_code: Option<u16>,
    /// How long it took.
    pub latency: Duration,
    /// What went wrong: a sentence for the tenant.
    pub error: Option<String>,
    /// The first bytes of the answer, as text.
    pub response: Option<String>,
    /// After a failure: when it is tried again. `None`: never.
    pub retry_after: Option<Duration>,
    /// The endpoint wants to be left alone for so long.
    pub pause: Option<Duration>,
}

/// The answer may say anything.
impl std::fmt::Debug for SettledDelivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettledDelivery")
            .field("id", &self.id)
            .field("success", &self.success)
            .field("status_code", &self.status_code)
            .finish_non_exhaustive()
    }
}

/// An attempt that counted, where it stands among those that were to be settled.
struct Counted {
    place: usize,
    webhook: WebhookId,
    /// How often the webhook has begun anew by now.
    generation: i32,
    state: DeliveryState,
}

impl SystemTx {
    /// Writes down what came of attempts, of each only where its claim still holds: whoever
    /// lost it has nothing to say any more. Answers, of each, how the delivery stands now,
    /// `None` where the claim was lost; and the webhooks that there is no hope for.
    ///
    /// What a webhook's attempts came to before it began anew, at another address perhaps, is
    /// counted, and says nothing about how it fares now.
    ///
    /// `chance` spreads breaks: from 0 to 1.
    pub async fn settle_deliveries(
        &mut self,
        settled: &[SettledDelivery],
        chance: f64,
    ) -> StoreResult<(Vec<Option<DeliveryState>>, Vec<Hopeless>)> {
        self.hold_webhooks_of(settled).await?;
        let mut counted = self.settle_rows(settled).await?;
        let mut states = vec![None; settled.len()];
        for one in &counted {
            states[one.place] = Some(one.state);
        }
        // In the order in which they ended.
        counted.sort_by_key(|one| settled[one.place].at + settled[one.place].latency);
        let (mut now, mut before) = <(BTreeMap<WebhookId, Tally>, BTreeMap<_, _>)>::default();
        for one in counted {
            let attempt = &settled[one.place];
            let tallies = if attempt.generation == one.generation {
                &mut now
            } else {
                &mut before
            };
            let tally: &mut Tally = tallies.entry(one.webhook).or_default();
            tally.generation = one.generation;
            tally.take(attempt, one.state);
        }
        self.count_before(&before).await?;
        let hopeless = self.settle_webhooks(&now, chance).await?;
        Ok((states, hopeless))
    }

    /// Locks how the webhooks stand, in one order, and before any delivery: as everybody does who
    /// locks both, so that nobody waits in a circle. Whoever stops in the middle of it, and does
    /// not go on, is cut off: others wait for these rows.
    async fn hold_webhooks_of(&mut self, settled: &[SettledDelivery]) -> StoreResult<()> {
        let ids: Vec<Uuid> = settled.iter().map(|one| one.id.uuid()).collect();
        sqlx::query!(
            "WITH held AS MATERIALIZED (
                 SELECT FROM webhook_state
                 WHERE webhook_id = ANY (ARRAY(
                     SELECT webhook_id FROM webhook_delivery WHERE id = ANY ($1)))
                 ORDER BY webhook_id FOR UPDATE
             )
             SELECT set_config('idle_in_transaction_session_timeout', '10s', true) AS set,
                 count(*) AS held FROM held",
            &ids
        )
        .fetch_one(self.conn())
        .await?;
        Ok(())
    }

    async fn settle_rows(&mut self, settled: &[SettledDelivery]) -> StoreResult<Vec<Counted>> {
        let column = |f: fn(&SettledDelivery) -> Option<f64>| -> Vec<Option<f64>> {
            settled.iter().map(f).collect()
        };
        let ids: Vec<Uuid> = settled.iter().map(|one| one.id.uuid()).collect();
        let claims: Vec<Uuid> = settled.iter().map(|one| one.claim).collect();
        let successes: Vec<bool> = settled.iter().map(|one| one.success).collect();
        let at: Vec<DateTime<Utc>> = settled.iter().map(|one| one.at).collect();
        let codes: Vec<Option<i32>> = settled
            .iter()
            .map(|one| one.status_code.map(i32::from))
            .collect();
        let latencies = column(|one| Some(one.latency.as_secs_f64() * 1000.0));
        let errors: Vec<Option<String>> = settled
            .iter()
            .map(|one| keepable(one.error.as_deref()))
            .collect();
        let responses: Vec<Option<String>> = settled
            .iter()
            .map(|one| keepable(one.response.as_deref()))
            .collect();
        let retries = column(|one| one.retry_after.map(|after| after.as_secs_f64()));
        let rows = sqlx::query!(
            r#"UPDATE webhook_delivery d
               SET claim_id = NULL, lease_until = NULL, holder = NULL, fresh = false, tries = d.tries + 1,
                   attempts = CASE WHEN jsonb_array_length(d.attempts) < 20 THEN d.attempts
                           ELSE d.attempts - 0 END
                       || jsonb_build_object(
                           'number', coalesce((d.attempts -> -1 ->> 'number')::int, 0) + 1,
                           'at', t.at, 'status_code', t.status_code,
                           'latency_ms', round(t.latency_ms::numeric, 1),
                           'error', t.error, 'response', t.response),
                   state = CASE WHEN t.success THEN 'delivered'
                       WHEN t.retry_after IS NULL THEN 'dead' ELSE 'pending' END,
                   next_at = now() + make_interval(secs => coalesce(t.retry_after, 0)),
                   finished_at = CASE WHEN t.success OR t.retry_after IS NULL THEN now() END
               FROM unnest($1::uuid[], $2::uuid[], $3::bool[], $4::timestamptz[], $5::int[],
                       $6::float8[], $7::text[], $8::text[], $9::float8[]) WITH ORDINALITY
                   AS t (id, claim_id, success, at, status_code, latency_ms, error, response,
                         retry_after, number)
               WHERE d.id = t.id AND d.claim_id = t.claim_id
               -- Nothing begins anew at this moment: that waits for the rows that are held.
               RETURNING t.number AS "number!", d.webhook_id,
                   (SELECT w.generation FROM webhook w WHERE w.id = d.webhook_id)
                       AS "generation!",
                   d.state AS "state: Word<DeliveryState>""#,
            &ids,
            &claims,
            &successes,
            &at,
            &codes as &[Option<i32>],
            &latencies as &[Option<f64>],
            &errors as &[Option<String>],
            &responses as &[Option<String>],
            &retries as &[Option<f64>],
        )
        .fetch_all(self.conn())
        .await?;
        let counted = rows.into_iter().filter_map(|row| {
            Some(Counted {
                place: usize::try_from(row.number - 1).ok()?,
                webhook: row.webhook_id.into(),
                generation: row.generation,
                state: row.state.into(),
            })
        });
        Ok(counted.collect())
    }
}
