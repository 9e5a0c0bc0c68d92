//! What every adapter must do, whichever engine it talks to.
//!
//! Each case is a function over a [`World`]: an adapter, the engine behind it, and the power
//! to do what people and networks do to that engine. [`crate::conformance_tests!`] makes a
//! test of each.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a suite of tests: a failed expectation is what it is there to say"
)]

mod lifecycle;
mod reports;
mod sending;
mod trouble;
mod world;

pub use lifecycle::*;
pub use reports::*;
pub use sending::*;
pub use trouble::*;
pub use world::{Received, Sent, Trouble, World, Written};

/// Makes a module with one `tokio` test for each case; the expression makes a fresh world.
///
/// ```ignore
/// mf_engine::conformance_tests!(noweb, SimWorld::new(Dialect::Noweb));
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($module:ident, $world:expr) => {
        mod $module {
            use super::*;
            $crate::conformance_tests! { @each $world;
                a_session_pairs_and_reports_each_step
                a_session_that_runs_is_left_alone
                another_callback_address_is_corrected
                a_stopped_session_keeps_its_pairing
                a_restarted_session_comes_back
                a_logout_gives_up_the_pairing
                a_session_can_be_removed_twice
                sessions_are_listed_whether_they_run_or_not
                a_text_goes_out_under_our_id_where_the_engine_takes_one
                a_repeated_send_is_one_message_where_the_engine_takes_our_id
                a_sent_message_is_found_and_another_is_not
                a_number_is_looked_up
                typing_is_shown
                a_reply_names_what_it_answers
                a_sent_message_is_reported_with_its_way
                what_others_write_is_reported
                what_is_written_in_a_group_says_by_whom
                what_is_written_on_the_phone_is_ours
                a_hidden_number_is_a_chat
                a_callback_with_a_changed_byte_is_refused
                a_callback_without_its_signature_is_refused
                a_send_to_a_stopped_session_had_no_effect
                a_send_to_a_missing_session_had_no_effect
                a_dead_engine_is_unreachable
                a_slow_engine_times_out_and_may_have_acted
                a_call_cut_off_before_its_effect_may_have_had_one
                an_answer_that_never_came_does_not_undo_the_send
                an_answer_that_says_nothing_is_no_failure
                a_restricted_account_is_told_apart
                a_request_to_slow_down_is_told_apart
                a_failure_inside_tells_nothing_of_the_message
                an_unknown_recipient_gets_nothing
            }
        }
    };
    (@each $world:expr; $($case:ident)+) => {
        $(
            #[tokio::test]
            async fn $case() {
                let world = $world.await;
                $crate::conformance::$case(&world).await;
            }
        )+
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_case_is_in_the_list() {
        let list = include_str!("conformance.rs");
        for file in [
            include_str!("conformance/lifecycle.rs"),
            include_str!("conformance/reports.rs"),
            include_str!("conformance/sending.rs"),
            include_str!("conformance/trouble.rs"),
        ] {
            for case in file.split("pub async fn ").skip(1) {
                let name = case.split('(').next().unwrap_or_default();
                assert!(list.contains(&format!(" {name}\n")), "{name} is not run");
            }
        }
    }
}
