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

mod changes;
mod channels;
mod contacts;
mod groups;
mod happening;
mod history;
mod kinds;
mod labels;
mod lifecycle;
mod reports;
mod sending;
mod trouble;
mod world;

pub use changes::*;
pub use channels::*;
pub use contacts::*;
pub use groups::*;
pub use happening::Happening;
pub use history::*;
pub use kinds::*;
pub use labels::*;
pub use lifecycle::*;
pub use reports::*;
pub use sending::*;
pub use trouble::*;
pub use world::{Carried, Received, Sent, Served, Trouble, World, Written};

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
                a_reaction_is_shown_and_taken_back
                what_others_react_is_reported
                our_message_is_changed_and_taken_back
                what_others_change_and_take_back_is_reported
                a_star_is_set_where_the_engine_can
                votes_are_reported
                a_chat_is_marked_as_read
                a_message_that_is_not_there_is_none
                messages_are_listed_by_chat_and_time
                a_listed_message_is_what_was_reported
                chats_are_listed_with_the_newest_first
                a_session_can_be_paired_by_a_code
                a_probe_finds_a_session_that_only_looks_alive
                a_file_of_every_kind_arrives_byte_for_byte
                polls_places_and_cards_arrive_as_they_were
                a_file_that_cannot_be_fetched_is_not_sent
                a_repeated_send_of_any_kind_is_one_message_where_the_engine_says_so
                a_file_of_every_kind_that_comes_in_can_be_fetched
                polls_places_and_cards_that_come_in_are_read
                a_file_that_did_not_come_can_be_asked_for
                a_file_that_the_engine_keeps_no_more_can_be_asked_for_again
                a_hidden_writer_is_told_with_their_number_where_the_engine_does
                people_are_listed_page_by_page
                a_picture_is_where_the_engine_says
                a_hidden_id_leads_to_its_number_once_it_is_told
                pairs_of_hidden_ids_and_numbers_are_listed
                a_call_is_reported_with_its_end
                who_types_is_reported
                groups_are_listed_without_who_is_in_them
                a_group_is_shown_with_who_is_in_it
                a_group_that_is_not_ours_is_none
                a_new_group_has_those_who_let_themselves_be_added
                who_cannot_be_added_is_told_apart
                participants_rise_fall_and_go
                a_group_is_renamed_and_described
                an_invitation_is_worthless_once_it_was_revoked
                what_others_do_in_a_group_is_reported
                being_put_out_of_a_group_is_reported
                labels_are_made_changed_and_removed
                a_chat_carries_exactly_the_labels_it_is_given
                labels_set_on_the_phone_are_reported_where_the_engine_does
                an_account_that_is_no_business_has_no_labels
                channels_are_listed_by_role
                a_channel_is_found_by_its_id_and_its_invitation
                a_channel_is_made_and_removed_where_the_engine_can
                a_channel_is_left_and_followed_where_the_engine_can
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
            include_str!("conformance/changes.rs"),
            include_str!("conformance/channels.rs"),
            include_str!("conformance/contacts.rs"),
            include_str!("conformance/groups.rs"),
            include_str!("conformance/history.rs"),
            include_str!("conformance/kinds.rs"),
            include_str!("conformance/labels.rs"),
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
