//! Whole daemons in network namespaces, with the real kernel.
//!
//! `KEEPALIVED=/usr/sbin/keepalived cargo test --test netns` runs the tests with another program,
//! except for those that only this program is expected to pass.

#[path = "netns/addresses.rs"]
mod addresses;
#[path = "netns/announce.rs"]
mod announce;
#[path = "netns/auth.rs"]
mod auth;
#[path = "netns/bases.rs"]
mod bases;
#[path = "netns/bfd.rs"]
mod bfd;
#[path = "netns/bfd_restart.rs"]
mod bfd_restart;
#[path = "netns/commands.rs"]
mod commands;
#[path = "netns/control.rs"]
mod control;
#[path = "netns/crash.rs"]
mod crash;
#[path = "netns/dumps.rs"]
mod dumps;
#[path = "netns/exporters.rs"]
mod exporters;
#[path = "netns/failover.rs"]
mod failover;
#[path = "netns/fib.rs"]
mod fib;
#[path = "netns/files.rs"]
mod files;
#[path = "netns/firewall.rs"]
mod firewall;
#[path = "netns/flood.rs"]
mod flood;
#[path = "netns/fresh_links.rs"]
mod fresh_links;
#[path = "netns/garbage.rs"]
mod garbage;
#[path = "netns/groups.rs"]
mod groups;
#[path = "netns/handover.rs"]
mod handover;
#[path = "netns/iptables.rs"]
mod iptables;
mod lab;
#[path = "netns/leaks.rs"]
mod leaks;
#[path = "netns/links.rs"]
mod links;
#[path = "netns/linkwatch.rs"]
mod linkwatch;
#[path = "netns/marks.rs"]
mod marks;
#[path = "netns/nftables.rs"]
mod nftables;
#[path = "netns/notify.rs"]
mod notify;
#[path = "netns/options.rs"]
mod options;
#[path = "netns/preempt.rs"]
mod preempt;
#[path = "netns/process.rs"]
mod process;
#[path = "netns/quiet.rs"]
mod quiet;
#[path = "netns/reload.rs"]
mod reload;
#[path = "netns/respawn.rs"]
mod respawn;
#[path = "netns/restart.rs"]
mod restart;
#[path = "netns/resume.rs"]
mod resume;
#[path = "netns/rights.rs"]
mod rights;
#[path = "netns/routes.rs"]
mod routes;
#[path = "netns/rules.rs"]
mod rules;
#[path = "netns/scale.rs"]
mod scale;
#[path = "netns/scripts.rs"]
mod scripts;
#[path = "netns/steer.rs"]
mod steer;
#[path = "netns/strict.rs"]
mod strict;
#[path = "netns/systemd.rs"]
mod systemd;
#[path = "netns/tracking.rs"]
mod tracking;
#[path = "netns/transport.rs"]
mod transport;
#[path = "netns/tuning.rs"]
mod tuning;
#[path = "netns/uml.rs"]
mod uml;
#[path = "netns/vmac.rs"]
mod vmac;
#[path = "netns/watched.rs"]
mod watched;
#[path = "netns/web.rs"]
mod web;

use std::process::ExitCode;

/// Tests by path.
macro_rules! tests {
    ($($path:path),+ $(,)?) => { vec![$(lab::test(stringify!($path), $path)),+] };
}

fn main() -> ExitCode {
    let mut tests = vec![
        lab::test_alone("handover::no_ipv4_packet_is_lost", handover::no_ipv4_packet_is_lost),
        lab::test_alone("handover::no_ipv6_packet_is_lost", handover::no_ipv6_packet_is_lost),
        lab::test_alone(
            "handover::no_packet_is_lost_at_a_reload",
            handover::no_packet_is_lost_at_a_reload,
        ),
        lab::test_alone(
            "steer::a_failover_with_a_virtual_mac_loses_at_most_one_packet",
            steer::a_failover_with_a_virtual_mac_loses_at_most_one_packet,
        ),
        lab::test_alone(
            "steer::a_failover_without_a_virtual_mac_loses_at_most_two_packets",
            steer::a_failover_without_a_virtual_mac_loses_at_most_two_packets,
        ),
        lab::test_alone(
            "steer::a_goodbye_with_a_virtual_mac_loses_few_packets",
            steer::a_goodbye_with_a_virtual_mac_loses_few_packets,
        ),
        lab::test_alone(
            "bfd::an_address_moves_within_the_detection_time",
            bfd::an_address_moves_within_the_detection_time,
        ),
        lab::test_alone(
            "scripts::two_hundred_scripts_delay_no_advert",
            scripts::two_hundred_scripts_delay_no_advert,
        ),
        lab::test_alone(
            "flood::a_flood_of_priority_zero_silences_no_other_router",
            flood::a_flood_of_priority_zero_silences_no_other_router,
        ),
    ];
    // Sessions that fail without a packet for 150 ms.
    tests.extend([
        lab::test_alone(
            "bfd_restart::twenty_restarts_leave_a_session_up",
            bfd_restart::twenty_restarts_leave_a_session_up,
        ),
        lab::test_alone(
            "bfd_restart::twenty_restarts_leave_an_authenticated_session_up",
            bfd_restart::twenty_restarts_leave_an_authenticated_session_up,
        ),
        lab::test_alone(
            "bfd_restart::a_slow_restart_leaves_a_session_up",
            bfd_restart::a_slow_restart_leaves_a_session_up,
        ),
        lab::test_alone(
            "bfd_restart::a_restart_that_fails_leaves_a_session_up",
            bfd_restart::a_restart_that_fails_leaves_a_session_up,
        ),
        lab::test_alone(
            "bfd_restart::a_session_that_changed_begins_anew_and_says_so",
            bfd_restart::a_session_that_changed_begins_anew_and_says_so,
        ),
    ]);
    tests.push(lab::test_alone(
        "restart::a_hundred_restarts_cause_no_election",
        restart::a_hundred_restarts_cause_no_election,
    ));
    tests.push(lab::test_alone(
        "control::a_thousand_requests_a_second_delay_no_advert",
        control::a_thousand_requests_a_second_delay_no_advert,
    ));
    tests.push(lab::test_alone(
        "leaks::reloads_and_connections_leave_nothing_behind",
        leaks::reloads_and_connections_leave_nothing_behind,
    ));
    tests.push(lab::test_alone("web::scrapes_delay_no_advert", web::scrapes_delay_no_advert));
    tests.extend(tests![
        dumps::exporters_find_everything,
        control::the_state_of_two_routers_is_shown_and_explained,
        control::a_wrong_password_of_the_peer_is_explained_and_not_shown,
        control::events_are_followed,
        control::a_follower_whose_reader_is_gone_ends,
        control::a_reload_says_whether_it_was_refused_and_where,
        control::a_priority_by_command_moves_the_address_until_it_is_reset,
        control::the_log_shows_more_by_command,
        control::a_client_that_does_not_read_is_dropped_and_waited_for_by_none,
        control::two_hundred_clients_and_a_long_request,
        control::the_user_of_a_client_decides,
        control::a_socket_that_was_left_is_replaced_and_a_served_one_is_not,
        steer::a_failover_holds_until_it_is_ended,
        steer::a_router_that_does_not_preempt_takes_over_as_well,
        steer::the_address_comes_back_if_the_other_router_dies,
        steer::a_failover_without_another_router_is_taken_back,
        steer::a_sync_group_is_handed_over_as_a_whole,
        steer::maintenance_leaves_the_work_to_other_routers,
        steer::an_order_outlives_its_client,
        steer::a_script_is_run_by_command,
        systemd::systemd_is_shown_roles_and_reloads,
        systemd::units_are_as_confined_as_documented,
        systemd::the_init_script_fails_if_a_reload_is_refused,
        web::metrics_the_page_and_kactl_say_the_same,
        web::a_reload_opens_moves_and_closes_the_socket,
        web::a_port_that_is_taken_is_no_end,
        web::an_unhealthy_instance_is_shown_by_the_probe,
        web::requests_that_are_not_served,
        web::a_client_that_asks_nothing_or_reads_nothing_is_dropped,
        web::clients_beyond_the_limit_are_turned_away,
        routes::every_form_is_what_ip_makes_of_it,
        routes::a_refusal_comes_with_the_kernels_words,
        routes::places_among_others,
        routes::only_those_of_one_protocol_are_listed,
        routes::a_removal_hits_no_other_route,
        rules::every_form_is_what_ip_makes_of_it,
        rules::a_rule_without_a_mark_is_not_one_for_mark_0,
        scale::all_255_router_ids_on_one_link,
        scale::a_storm_of_netlink_messages,
        scale::a_thousand_addresses_of_one_instance,
        scale::a_thousand_protected_addresses_of_one_instance,
        tuning::instances_share_a_receive_buffer,
        tuning::the_process_has_the_processors_and_the_name_of_its_configuration,
        tuning::each_stall_raises_the_priority,
        tuning::local_igmp_is_disabled_and_restored,
        uml::a_guest_has_features_missing_on_the_host,
        files::a_lease_on_a_script_delays_no_advert,
        files::a_log_file_is_not_written_through_a_hard_link,
        files::a_tracked_file_is_not_made_through_a_link,
        files::the_umask_is_applied,
        dumps::dump_files_are_where_the_configuration_says,
        dumps::files_tell_of_a_reload,
        dumps::a_file_names_the_time_of_a_reload,
        vmac::a_failover_keeps_the_neighbours_entry,
        vmac::the_base_joins_the_group_at_a_reload_to_iptables,
        vmac::adverts_come_from_the_virtual_mac,
        vmac::settings_are_restored_exactly,
        vmac::an_earlier_runs_interface_is_adopted_or_replaced,
        vmac::an_interface_that_a_crash_left_goes_when_it_is_not_wanted,
        quiet::a_vmac_of_a_backup_sends_nothing_by_itself,
        vmac::it_returns_when_it_or_its_base_was_deleted,
        vmac::a_reload_touches_only_what_changed,
        vmac::it_is_as_with_the_reference,
        bases::another_mtu_changes_nothing_else,
        bases::a_port_of_a_bridge_is_a_fault,
        bases::a_plain_router_survives_a_bridge,
        bases::a_bridge_as_the_base,
        fib::they_follow_the_master,
        fib::what_is_removed_externally_is_restored,
        fib::a_short_flap_loses_no_route,
        fib::a_reload_writes_only_differences,
        fib::an_earlier_run_leaves_nothing_behind,
        fib::a_backup_removes_what_an_earlier_run_left,
        fib::static_ones_stay_while_the_daemon_runs,
        fib::a_refused_route_names_itself_its_line_and_the_reason,
        fib::a_panic_removes_them,
        fib::foreign_routes_that_churn_cost_nothing,
        fib::they_are_as_with_the_reference,
        announce::work_that_is_due_at_once_is_not_late,
        announce::five_at_once_and_five_after_the_delay,
        announce::a_refresh_repeats_them,
        announce::interfaces_of_a_group_share_an_interval,
        announce::a_vmac_without_advertisements_is_announced_periodically,
        announce::further_interfaces_are_announced_periodically,
        announce::a_new_link_layer_address_is_used,
        announce::ipv6_addresses_are_announced_as_often,
        announce::the_log_says_what_is_set_and_announced,
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
        transport::unicast_instances_that_share_a_router_id_hear_their_own_peers,
        transport::another_multicast_group,
        transport::ipv4_and_ipv6_share_a_router_id,
        linkwatch::a_short_outage_is_not_noticed_and_a_long_one_is,
        linkwatch::a_reload_without_the_delays_ends_them,
        linkwatch::a_polled_link_is_followed,
        links::an_interface_taken_down_causes_fault,
        links::a_pulled_cable_causes_fault,
        links::a_flapping_interface_ends_with_one_master,
        links::dont_track_primary_ignores_the_own_interface,
        links::a_deleted_interface_may_come_back,
        links::an_interface_may_appear_later,
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
        addresses::a_router_whose_addresses_are_refused_is_in_fault,
        addresses::a_router_that_lacks_some_addresses_stays_master,
        addresses::without_its_capabilities_it_does_not_start,
        strict::everything_else_is_done,
        strict::commands_are_refused_before_they_are_needed,
        strict::a_crash_is_cleaned_up,
        strict::files_are_written_in_known_places_only,
        strict::an_option_makes_it_strict,
        rights::what_is_not_needed_is_given_up_and_commands_have_all,
        rights::a_reload_may_ask_for_what_was_not_configured,
        rights::without_new_rights_commands_still_have_all,
        rights::everything_may_be_kept,
        rights::the_next_daemon_has_what_it_needs,
        rights::another_user_with_ambient_capabilities_serves,
        options::options_that_change_in_a_reload_are_applied,
        options::options_that_changed_since_a_crash_are_applied,
        options::changed_options_leave_no_address_behind,
        fresh_links::a_lost_carrier,
        fresh_links::a_restored_carrier,
        fresh_links::a_replaced_address,
        fresh_links::a_new_interface,
        fresh_links::a_recreated_interface,
        fresh_links::an_interface_with_a_weight,
        reload::an_address_that_changes_its_owner_stays,
        addresses::addresses_present_at_start_are_adopted,
        addresses::a_backup_removes_leftover_addresses,
        addresses::nothing_is_left_after_a_stop_in_any_state,
        addresses::static_addresses_do_not_depend_on_the_master,
        addresses::static_addresses_that_are_removed_externally_are_restored,
        addresses::a_track_group_follows_the_interface_of_a_static_address,
        reload::an_endless_file_delays_no_advert,
        reload::an_unchanged_file_disturbs_nothing,
        reload::an_added_address_appears_and_a_removed_one_goes,
        reload::instances_come_and_go,
        reload::a_changed_priority_takes_effect_in_place,
        reload::a_refused_file_changes_nothing,
        reload::a_missing_file_changes_nothing,
        reload::reload_and_wait_reports_the_outcome,
        reload::many_reloads_at_once_are_survived,
        reload::adverts_go_on_while_a_long_file_is_read,
        reload::a_renamed_instance_is_the_same_one,
        reload::another_router_id_is_another_instance,
        reload::a_group_can_be_formed_while_running,
        garbage::packets_of_the_wrong_length,
        garbage::packets_with_a_wrong_field,
        garbage::packets_of_version_2_with_a_wrong_field,
        garbage::valid_packets_with_a_lower_priority,
        garbage::packets_from_the_masters_own_address,
        garbage::a_flood_of_noise,
        flood::each_kind_costs_few_lines_and_processes,
        flood::an_unrelated_host_cannot_amplify_unicast_traffic,
        auth::routers_with_one_password_agree,
        auth::routers_with_different_passwords_do_not_hear_each_other,
        auth::a_router_with_another_password_is_named_as_the_other_master,
        auth::a_key_is_replaced_without_an_election,
        auth::signed_routers_agree_over_every_transport,
        auth::a_reload_introduces_authentication_headers,
        auth::a_recording_does_not_keep_a_dead_master_alive,
        auth::without_a_key_nothing_is_sent_and_nothing_believed,
        groups::one_failed_member_takes_the_other_along,
        groups::a_group_moves_when_its_router_dies,
        tracking::a_tracked_interface_down_causes_fault,
        tracking::a_weight_lowers_the_priority,
        tracking::a_positive_weight_is_added_while_up,
        scripts::a_weight_lowers_the_priority_while_it_fails,
        scripts::without_a_weight_a_failure_causes_fault,
        scripts::rise_and_fall_are_counted,
        scripts::it_is_not_master_before_the_first_result,
        scripts::a_process_tree_that_ignores_sigterm_is_killed,
        scripts::misbehaving_scripts_disturb_nothing,
        scripts::the_address_follows_nginx,
        iptables::each_address_has_its_own_rules,
        iptables::entries_are_members_of_sets,
        bfd::an_address_follows_a_session,
        bfd::a_stop_is_heard_at_once,
        bfd::a_reload_keeps_sessions,
        bfd::a_stall_is_no_failure_of_the_neighbour,
        bfd::authentication_keeps_strangers_out,
        bfd::one_link_local_neighbour_on_two_links,
        commands::rules_follow_the_master,
        commands::an_address_waits_for_its_rules,
        commands::a_crash_leaves_no_rule_twice_and_none_for_ever,
        commands::a_panic_leaves_no_rule_behind,
        commands::a_command_that_hangs_delays_nothing_for_long,
        commands::what_a_command_complains_of_is_logged,
        commands::an_instance_begins_with_its_vmac,
        firewall::without_need_changes_of_tables_wake_nothing,
        firewall::protection_follows_the_master,
        firewall::an_address_is_never_reachable_during_a_failover,
        firewall::the_ruleset_is_that_of_the_reference,
        firewall::a_reload_changes_the_protection_alone,
        firewall::the_entry_of_a_vmac_follows_the_address_of_its_base,
        firewall::a_crash_leaves_no_table_behind,
        firewall::what_a_crash_left_stays_protected_until_it_goes,
        firewall::a_panic_leaves_no_table_behind,
        firewall::an_address_of_two_instances_stays_protected,
        firewall::a_table_that_is_removed_externally_comes_back,
        marks::the_tables_are_those_of_keepalived,
        marks::marks_come_before_services_and_go_after_them,
        marks::a_reload_without_a_change_writes_nothing,
        marks::a_table_that_another_program_removes_comes_back,
        marks::a_table_left_by_a_crash_is_replaced_or_removed,
        marks::packets_to_a_group_have_its_mark,
        marks::kept_services_keep_their_marks,
        marks::marks_stay_after_a_panic_until_the_next_start,
        nftables::the_ipv4_table_is_that_of_keepalived,
        nftables::the_ipv6_table_is_that_of_keepalived,
        nftables::settings_of_the_table_are_applied_in_place,
        nftables::a_leftover_table_is_replaced_or_removed,
        nftables::a_table_that_is_removed_externally_is_restored,
        nftables::thousands_of_addresses_fit_into_one_transaction,
        nftables::no_packet_reaches_a_shielded_address,
        notify::scripts_get_the_documented_arguments,
        notify::scripts_of_one_instance_run_in_order,
        notify::a_script_inherits_nothing_but_the_environment,
        notify::a_group_is_notified_as_a_whole,
        notify::fifo_lines_match_the_manual,
        notify::a_reopened_fifo_gets_the_current_state,
        notify::an_unread_fifo_blocks_nothing,
        notify::the_fifo_script_gets_the_path_and_ends_with_the_daemon,
        notify::a_reload_restores_fifos_and_their_scripts,
        notify::startup_and_shutdown_scripts_run_first_and_last,
        notify::a_hanging_startup_script_is_terminated,
        notify::a_change_of_state_is_mailed,
        notify::non_ascii_mail_arrives_unchanged,
        notify::a_stalled_mail_server_delays_nothing_else,
        watched::the_number_in_a_file_is_added,
        watched::a_file_without_weight_causes_fault_unless_zero,
        watched::garbage_in_a_file_is_zero,
        watched::init_file_creates_the_file,
        watched::the_directory_of_a_file_may_appear_later,
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
        process::a_signal_during_startup_is_handled,
        process::a_fault_ends_when_descriptors_are_available,
        process::memory_is_locked_although_the_limit_is_unchanged,
        watched::a_flood_of_untracked_files_costs_little,
        process::no_configuration_file_ends_with_6,
        process::an_idle_configuration_runs_on,
        process::a_second_copy_with_the_same_pid_file_ends_at_once,
        process::a_pid_file_that_another_program_has_locked_is_a_failure,
        process::dumps_are_not_written_through_a_link,
        process::without_n_it_goes_to_the_background,
        crash::a_refused_start_removes_what_a_crash_has_left,
        crash::a_panic_sends_priority_zero_and_leaves_nothing,
        crash::a_panic_at_the_start_leaves_nothing_either,
        crash::the_text_of_a_panic_is_in_the_log_of_a_daemon,
        crash::a_crash_without_unwinding_leaves_no_address,
        crash::a_crash_of_the_stand_in_removes_no_address,
        crash::a_crash_signal_leaves_no_address,
        crash::only_held_addresses_are_removed,
        crash::promote_secondaries_is_restored_however_the_daemon_ends,
        respawn::a_killed_daemon_is_started_again,
        respawn::after_three_deaths_nothing_is_left,
        respawn::a_panic_causes_no_election,
        respawn::signals_are_passed_on,
        respawn::without_it_a_dead_daemon_stays_dead,
        restart::a_program_that_refuses_does_not_take_over,
        restart::a_daemon_in_the_background_is_restarted,
        restart::a_reader_of_a_fifo_goes_on,
        restart::notifications_under_way_go_on,
        restart::a_tracked_script_under_way_goes_on,
        restart::a_check_under_way_goes_on_and_results_are_kept,
        restart::refused_senders_are_known_after_a_restart,
        restart::a_virtual_mac_stays_at_a_restart,
        restart::authenticated_routers_go_on,
        resume::orders_of_operators_are_kept,
        resume::a_killed_master_resumes_fifty_times,
        resume::after_an_election_it_follows_the_rules,
        resume::a_clean_end_is_not_resumed,
        resume::an_unfit_state_file_is_refused,
        resume::a_truncated_state_file_ends_nothing,
        resume::verdicts_of_scripts_are_kept,
    ]);
    lab::main(tests)
}
