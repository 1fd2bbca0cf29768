//! Whole daemons in network namespaces, against the real kernel.
//!
//! `KEEPALIVED=/usr/sbin/keepalived cargo test --test netns` runs the same tests with another
//! program, without those that only ours promises to pass.

#[path = "netns/addresses.rs"]
mod addresses;
#[path = "netns/announce.rs"]
mod announce;
#[path = "netns/auth.rs"]
mod auth;
#[path = "netns/crash.rs"]
mod crash;
#[path = "netns/failover.rs"]
mod failover;
#[path = "netns/files.rs"]
mod files;
#[path = "netns/flood.rs"]
mod flood;
#[path = "netns/fresh_links.rs"]
mod fresh_links;
#[path = "netns/garbage.rs"]
mod garbage;
#[path = "netns/groups.rs"]
mod groups;
mod lab;
#[path = "netns/links.rs"]
mod links;
#[path = "netns/notify.rs"]
mod notify;
#[path = "netns/options.rs"]
mod options;
#[path = "netns/preempt.rs"]
mod preempt;
#[path = "netns/process.rs"]
mod process;
#[path = "netns/reload.rs"]
mod reload;
#[path = "netns/scale.rs"]
mod scale;
#[path = "netns/scripts.rs"]
mod scripts;
#[path = "netns/tracking.rs"]
mod tracking;
#[path = "netns/transport.rs"]
mod transport;
#[path = "netns/uml.rs"]
mod uml;
#[path = "netns/watched.rs"]
mod watched;

use std::process::ExitCode;

/// Tests by their paths.
macro_rules! tests {
    ($($path:path),+ $(,)?) => { vec![$(lab::test(stringify!($path), $path)),+] };
}

fn main() -> ExitCode {
    let mut tests = vec![
        lab::test_alone(
            "scripts::two_hundred_scripts_delay_no_advert",
            scripts::two_hundred_scripts_delay_no_advert,
        ),
        lab::test_alone("flood::goodbyes_silence_nobody_else", flood::goodbyes_silence_nobody_else),
    ];
    tests.extend(tests![
        scale::all_255_router_ids_on_one_link,
        scale::a_storm_of_netlink_messages,
        scale::a_thousand_addresses_of_one_instance,
        uml::a_guest_has_what_the_host_may_lack,
        files::a_lease_on_a_script_delays_no_advert,
        files::a_log_file_is_not_written_through_a_hard_link,
        files::a_tracked_file_is_not_made_through_a_link,
        announce::five_at_once_and_five_after_the_delay,
        announce::a_refresh_repeats_them,
        announce::a_new_link_layer_address_is_used,
        announce::ipv6_addresses_are_announced_as_often,
        failover::a_killed_master_is_replaced_after_the_down_time,
        failover::a_stopped_master_is_replaced_after_the_skew_time,
        failover::a_master_that_comes_back_takes_its_address_again,
        failover::the_states_are_logged_byte_for_byte,
        failover::two_masters_agree_when_the_network_heals,
        failover::a_stalled_backup_does_not_take_over,
        failover::a_stalled_master_is_replaced_and_comes_back,
        preempt::a_higher_priority_takes_over,
        preempt::an_equal_priority_does_not_take_over,
        preempt::nopreempt_waits_until_the_master_goes,
        preempt::preempt_delay_postpones_the_takeover,
        preempt::the_owner_is_master_at_once,
        transport::version_3_over_ipv4_multicast,
        transport::version_2_over_ipv4_multicast,
        transport::version_3_over_ipv6_multicast,
        transport::unicast_over_ipv4,
        transport::unicast_over_ipv6,
        transport::another_multicast_group,
        transport::ipv4_and_ipv6_share_a_router_id,
        links::an_interface_taken_down_is_a_fault,
        links::a_pulled_cable_is_a_fault,
        links::a_flapping_interface_ends_with_one_master,
        links::dont_track_primary_ignores_the_own_interface,
        links::a_deleted_interface_may_come_back,
        links::an_interface_may_come_later,
        links::without_an_address_of_its_own_a_router_waits,
        links::a_router_that_loses_its_own_address_waits_for_it,
        links::another_own_address_takes_over_as_the_source,
        links::an_ipv6_router_comes_back_after_its_interface,
        links::a_renamed_interface_is_another_one,
        links::a_master_leaves_nothing_on_a_renamed_interface,
        links::interfaces_may_swap_their_names,
        links::an_interface_that_moves_to_another_namespace_is_gone,
        addresses::addresses_are_as_configured,
        addresses::an_address_that_is_removed_externally_is_restored,
        addresses::without_tracking_it_is_not_restored,
        addresses::addresses_of_the_host_itself_are_never_removed,
        addresses::an_address_owner_of_one_address_keeps_it,
        addresses::a_static_address_is_a_source,
        addresses::a_router_whose_addresses_are_refused_is_at_fault,
        addresses::a_router_that_lacks_some_addresses_stays_master,
        addresses::without_its_capabilities_it_does_not_start,
        options::options_that_change_in_a_reload_are_applied,
        options::options_that_changed_since_a_crash_are_applied,
        options::options_that_changed_hold_no_address_back,
        fresh_links::a_carrier_that_was_lost,
        fresh_links::a_carrier_that_came,
        fresh_links::an_address_that_was_replaced,
        fresh_links::an_interface_that_is_new,
        fresh_links::an_interface_that_was_made_anew,
        fresh_links::an_interface_with_a_weight,
        reload::an_address_that_changes_its_owner_stays,
        addresses::addresses_that_are_there_at_start_are_adopted,
        addresses::a_backup_removes_what_was_left_over,
        addresses::nothing_is_left_after_a_stop_in_any_state,
        addresses::static_addresses_are_there_whoever_is_master,
        addresses::static_addresses_that_are_removed_externally_are_restored,
        addresses::a_track_group_follows_the_interface_of_a_static_address,
        reload::a_text_without_end_delays_no_advert,
        reload::an_unchanged_file_disturbs_nothing,
        reload::an_added_address_appears_and_a_removed_one_goes,
        reload::instances_come_and_go,
        reload::a_changed_priority_takes_effect_in_place,
        reload::a_refused_file_changes_nothing,
        reload::a_missing_file_changes_nothing,
        reload::the_outcome_can_be_waited_for,
        reload::many_reloads_at_once_are_survived,
        reload::adverts_go_on_while_a_long_file_is_read,
        reload::a_renamed_instance_is_the_same_one,
        reload::another_router_id_is_another_instance,
        reload::a_group_can_be_formed_while_running,
        garbage::packets_of_the_wrong_length,
        garbage::packets_with_a_wrong_field,
        garbage::packets_of_version_2_with_a_wrong_field,
        garbage::right_packets_of_a_lower_priority,
        garbage::packets_from_the_masters_own_address,
        garbage::a_flood_of_noise,
        flood::each_kind_costs_few_lines_and_processes,
        flood::a_stranger_makes_a_unicast_router_send_no_more,
        auth::routers_with_one_password_agree,
        auth::routers_with_different_passwords_do_not_hear_each_other,
        auth::a_router_with_another_password_is_named_as_the_other_master,
        groups::one_failed_member_takes_the_other_along,
        groups::a_group_moves_when_its_router_dies,
        tracking::a_tracked_interface_down_is_a_fault,
        tracking::a_weight_lowers_the_priority,
        tracking::a_positive_weight_is_added_while_up,
        scripts::a_weight_lowers_the_priority_while_it_fails,
        scripts::without_a_weight_failing_is_a_fault,
        scripts::rise_and_fall_are_counted,
        scripts::it_is_not_master_before_the_first_result,
        scripts::a_tree_that_ignores_term_is_gone_after_its_timeout,
        scripts::scripts_that_flood_fork_and_vanish_disturb_nothing,
        scripts::the_address_follows_nginx,
        notify::scripts_get_the_words_of_the_manual,
        notify::scripts_of_one_instance_run_in_order,
        notify::a_script_inherits_nothing_but_the_environment,
        notify::a_group_is_told_of_as_a_whole,
        notify::the_fifo_says_what_the_manual_says,
        notify::a_fifo_reader_that_comes_back_hears_the_current_state,
        notify::a_fifo_that_nobody_empties_stops_nothing,
        notify::the_fifo_script_gets_the_path_and_ends_with_us,
        notify::a_reload_brings_fifos_and_their_scripts_back,
        notify::startup_and_shutdown_scripts_frame_everything,
        notify::a_startup_script_that_hangs_is_ended,
        notify::a_change_of_state_is_mailed,
        notify::accents_arrive_as_they_were_written,
        notify::a_mail_server_that_stalls_costs_nothing_else,
        watched::the_number_in_a_file_is_added,
        watched::a_file_without_weight_is_a_fault_unless_zero,
        watched::garbage_in_a_file_is_zero,
        watched::init_file_makes_the_file,
        watched::the_folder_of_a_file_may_come_later,
        watched::a_process_that_ends_lowers_the_priority,
        watched::a_quorum_of_processes_is_counted,
        process::sigusr1_writes_the_data,
        process::sigusr2_writes_the_statistics,
        process::the_pid_file_is_there_while_it_runs,
        process::sigint_stops_it_too,
        process::a_startup_delay_keeps_it_quiet,
        process::released_addresses_can_be_kept,
        process::a_configuration_that_cannot_run_ends_with_2,
        process::it_is_one_process_with_one_thread,
        process::a_signal_while_it_starts_is_obeyed,
        process::descriptors_that_come_back_end_a_fault,
        process::memory_is_locked_although_the_limit_stays,
        watched::a_flood_beside_tracked_files_costs_little,
        process::no_configuration_file_ends_with_6,
        process::an_idle_configuration_runs_on,
        process::a_second_copy_with_the_same_pid_file_ends_at_once,
        process::a_pid_file_that_another_program_has_locked_is_a_failure,
        process::dumps_are_not_written_through_a_link,
        process::without_n_it_goes_to_the_background,
        crash::a_panic_ends_with_a_farewell_and_leaves_nothing,
        crash::a_panic_at_the_start_leaves_nothing_either,
        crash::the_text_of_a_panic_is_in_the_log_of_a_daemon,
        crash::what_cannot_be_caught_leaves_no_address,
        crash::a_signal_of_a_defect_leaves_no_address,
        crash::only_what_is_held_is_removed,
    ]);
    lab::main(tests)
}
