"""The tests that do not run on Windows, or not on Wine, and why. All others run on Wine, see `dev.py windows`."""

from __future__ import annotations

from tests.support.system import WINE

_LINKS = "Windows has no symbolic links without a privilege"
_MODES = "Windows has no permission bits but read-only, no umask and no groups"
_SPECIAL_FILES = "Windows has no FIFOs, no /dev and no /proc"
_OPEN_FILES = "Windows neither replaces nor removes open files, and opens and locks no folders"
_CASE = "Windows does not keep names apart that differ by case"
_NAMES = "Windows has no files of these names"
_PROGRAMS = "Windows has no GNU tar, no gzip and no shell of POSIX"
_WAKING = (
    "Windows wakes no thread that waits for bytes when another one shuts the socket down: the thread ends with its"
    " timeout, the command without it (https://github.com/python/cpython/issues/91913)"
)
_BENCH = "The bench measures processes with posix_spawn and /proc, which Windows has not"
_LIMITS = "Windows has no limits on the files and the memory of a process"
_TERMINAL = "Windows has no pseudo-terminals of POSIX"
_NEW_PROCESS = "Windows runs no function in a new process, which gives up rights, closes streams or removes its folder"

TESTS = {
    _LINKS: """
        auth/test_docker_config.py::test_a_symbolic_link_stays_one
        files/archive/test_extract.py::test_the_folder_of_the_title_must_not_be_a_link
        files/archive/test_extract.py::test_links_of_an_earlier_archive_are_not_followed
        files/archive/test_pack.py::test_a_title_of_several_components_and_a_linked_top
        files/test_links.py::test_no_chain_of_links_leaves_the_folder
        files/test_local_file.py::test_link_to_a_file_is_followed
        files/writing/test_closed_folders.py::test_a_destination_behind_a_link_is_the_folder_it_leads_to
        files/writing/test_destination.py::test_the_destination_itself_may_be_a_link
        files/writing/test_folder_tree.py::test_nothing_is_written_through_a_linked_folder
        files/writing/test_temp_file.py::test_a_link_planted_before_commit_is_refused
        signing/test_trust_policy.py::test_links_are_not_followed
        files/writing/test_resume_note.py::test_a_link_with_the_name_of_the_note_is_left_alone
        layout/test_files.py::test_links_and_devices_in_a_folder_are_not_followed
        functional/test_import_path.py::test_a_folder_is_not_unpacked_into_a_folder_of_imports
        functional/test_push.py::test_a_folder_file_by_file
    """,
    _MODES: """
        files/archive/test_extract.py::test_special_bits_and_write_for_others_are_dropped
        files/writing/test_temp_file.py::test_a_replaced_file_keeps_its_mode_without_special_bits
        files/writing/test_temp_file.py::test_a_new_file_obeys_the_umask
        files/writing/test_temp_file.py::test_an_unfinished_file_is_for_its_owner_alone
        files/writing/test_temp_file.py::test_an_older_versions_resumable_file_is_closed_to_others
        files/writing/test_temp_file.py::test_a_file_that_did_not_get_its_name_is_closed_to_others_again
        files/writing/test_temp_file.py::test_a_new_files_mode_is_that_of_the_folders_other_new_files
        files/writing/test_temp_file.py::test_the_modes_of_new_files_are_tried
        operations/test_download_job.py::test_an_executable_file_stays_one_under_the_umask
        operations/test_download_job.py::test_only_an_executable_file_has_the_annotation
        operations/test_download_job.py::test_a_setgid_folder_gives_its_group
        operations/test_file_in_parts.py::test_a_program_in_parts_stays_executable
        operations/test_inputs.py::test_the_mode_is_that_of_a_packed_file
        signing/test_trust_policy.py::test_what_everybody_may_write_to_is_not_believed
        files/writing/test_destination.py::test_a_read_only_folder_is_noticed_before_the_first_byte
        files/writing/test_temp_file.py::test_a_disk_without_modes_is_found
        functional/test_push.py::test_a_program_stays_one
        functional/test_pull.py::test_a_folder_comes_back_as_it_was
    """,
    _SPECIAL_FILES: """
        files/test_local_file.py::test_refuses_device
        files/test_local_file.py::test_a_file_with_content_behind_its_size_is_read_to_the_end
        operations/test_inputs.py::test_a_file_with_content_behind_its_size_is_read_to_the_end
        signing/test_trust_policy.py::test_a_pipe_is_no_policy
        files/archive/test_pack.py::test_a_file_with_content_behind_its_size_is_refused
        functional/test_push.py::test_annotations_from_a_pipe
        functional/test_push.py::test_files_whose_size_says_nothing_are_pushed_whole_or_refused
    """,
    _OPEN_FILES: """
        cli/test_import_path.py::test_a_current_folder_that_was_deleted_breaks_nothing
        files/test_local_file.py::test_a_removed_file_is_read_to_its_end
        operations/test_push.py::test_a_file_that_vanishes_while_it_is_pushed_is_pushed
        files/directory/test_posix.py::test_a_file_cannot_be_locked_while_a_sweep_removes_it
        files/directory/test_posix.py::test_a_file_cannot_be_locked_by_the_name_it_had
        files/writing/test_destination.py::test_another_users_lock_is_not_waited_for_for_ever
        files/writing/test_temp_file.py::test_a_reader_keeps_the_old_content
        files/writing/test_temp_file.py::test_a_file_swept_before_it_was_locked_is_created_again
        files/writing/test_temp_file.py::test_whether_a_disk_keeps_names_apart_is_tried
        layout/test_files.py::test_a_file_that_is_replaced_when_it_is_opened_is_not_read
    """,
    _CASE: """
        files/archive/test_walk.py::test_names_that_differ_by_case_are_packed_and_noted
        operations/test_download_job.py::test_twins_are_pushed_and_pulled_where_the_disk_keeps_them_apart
        operations/test_inputs.py::test_names_that_differ_by_case_are_pushed_and_noted
        operations/test_pull_check.py::test_two_names_of_one_file_are_no_difference
        functional/test_push.py::test_names_that_this_disk_keeps_apart_are_pushed_and_pulled
    """,
    _NAMES: """
        functional/test_push.py::test_windows_paths_are_split_at_the_right_colon
        operations/test_file_spec.py::test_a_path_that_exists_wins
        operations/test_inputs.py::test_a_name_that_cannot_be_pulled_is_not_pushed
        operations/test_push.py::test_a_name_that_is_not_utf8_is_refused_before_anything_is_sent
    """,
    _PROGRAMS: """
        files/archive/test_extract.py::test_reads_gnu_tar_padded_to_its_record
        files/archive/test_pack.py::test_system_tar_and_gzip_unpack_it
        functional/test_pull.py::test_a_closed_pipe_is_one_error
    """,
    _WAKING: """
        transfer/test_scheduler.py::test_an_error_wakes_a_thread_that_waits_for_a_response
    """,
    _BENCH: """
        bench/test_running.py::test_the_usage_is_that_of_the_command
        bench/test_running.py::test_a_failed_command_is_not_measured
        bench/test_running.py::test_a_process_s_own_time_is_counted_while_it_runs
    """,
    _LIMITS: """
        files/writing/test_temp_file.py::test_after_a_failed_write_the_old_file_is_unchanged
        operations/test_pull.py::test_a_disk_that_fills_up_while_a_folder_is_unpacked_changes_nothing
        functional/test_input_errors.py::test_a_full_disk_is_seen_before_the_first_byte
        functional/test_input_errors.py::test_a_disk_that_fills_up_leaves_the_older_file
        functional/test_input_errors.py::test_a_folder_needs_no_space_to_be_packed
        functional/test_layouts.py::test_a_disk_that_fills_up_leaves_no_half_layout
        functional/test_push.py::test_more_files_than_a_process_may_have_open
    """,
    _TERMINAL: """
        functional/test_attach.py::test_a_terminal_shows_a_tree
        functional/test_auth_mode.py::test_docker_is_said_where_it_was_not_asked_for
        functional/test_delete.py::test_an_interrupt_at_the_question
        functional/test_delete.py::test_the_confirmation_names_all_that_is_deleted
        functional/test_delete.py::test_a_child_of_a_tagged_index_is_not_deleted_without_force
        functional/test_login_servers.py::test_an_anonymous_read_after_a_refused_sign_in_is_reported
        functional/test_parts.py::test_a_dry_run_says_what_other_tools_will_see
        functional/test_parts.py::test_a_terminal_shows_one_bar_and_one_line
        functional/test_purge.py::test_the_dry_run_and_the_confirmation
        functional/test_push.py::test_the_output_on_a_terminal
    """,
    _NEW_PROCESS: """
        functional/test_input_errors.py::test_a_file_that_may_not_be_read
        functional/test_input_errors.py::test_a_folder_that_may_not_be_written
        functional/test_streams.py::test_closed_streams_change_nothing
        functional/test_streams.py::test_what_needs_a_closed_stream_says_so
        functional/test_streams.py::test_a_current_folder_that_was_removed
    """,
}
"""Reasons, and below each the tests: `FILE::TEST` for all cases of a test, `FILE::TEST[CASE]` for one. Files are named
from tests/unit, or as `functional/FILE`."""

WINE_TESTS = {
    "Wine has no git": """
        bench/test_records.py::test_a_record_names_the_wheel_or_the_commit
    """,
    "Wine 8 says that a file with too long a name is missing, Windows that the name is invalid": """
        operations/test_backup.py::test_a_tar_that_cannot_be_made_leaves_no_folder
    """,
}
"""The same for tests that run on Windows, but not on Wine."""

_REASONS = {
    name: reason for reason, names in {**TESTS, **(WINE_TESTS if WINE else {})}.items() for name in names.split()
}


def reason(node: str) -> str | None:
    """Return why the test *node* of pytest does not run on Windows; None for one that does."""
    name = node.partition("tests/")[2].removeprefix("unit/")
    return _REASONS.get(name) or _REASONS.get(name.partition("[")[0])
