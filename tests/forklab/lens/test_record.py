"""The lens records what real programs do: completely, in virtual time, and the same each time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from forklab.history import History, State
from forklab.lens.record import CannotRecordError, Limits, Recording, record

Compile = Callable[[str], str]

ZOMBIE = """
#include <stdlib.h>
#include <unistd.h>
int main(void) { if (fork() > 0) sleep(100); else { sleep(10); exit(123); } return 0; }
"""


def story(recording: Recording) -> list[str]:
    """The events in short: "P exit 3"."""
    skip = ("n", "t", "kind", "process", "argv")
    return [
        " ".join(
            [event.process, event.kind]
            + [str(value) for key, value in event.to_json().items() if key not in skip]
        )
        for event in recording.history.events
    ]


def state_at(history: History, name: str, seconds: float) -> State:
    events = [event for event in history.events if event.t <= seconds]
    return history.tree(events[-1].n)[name].state


def test_the_lectures_zombie_is_one_for_90_seconds_that_cost_nothing(compiled: Compile) -> None:
    seen = record([compiled(ZOMBIE)])
    assert [state_at(seen.history, "P.1", t) for t in (5, 50, 99)] == [
        "running",
        "zombie",
        "zombie",
    ]
    assert (seen.status, seen.seconds, seen.reproducible) == (0, 100.0, True)
    times = {event.kind: event.t for event in seen.history.events if event.process == "P.1"}
    assert times["exit"] == 10.0


def test_a_wait_ends_with_the_child_and_tells_its_status(acts: str) -> None:
    assert story(record([acts, "f(s5x7)w"])) == [
        "P start",
        "P exec",
        "P fork P.1",
        "P waits",
        "P.1 exit 7",
        "P.1 reaped P 7",
        "P exit 0",
        "P reaped init 0",
    ]


def test_an_orphan_is_adopted_by_init(acts: str) -> None:
    seen = record([acts, "f(s9x3)s1"])
    assert story(seen)[-5:] == [
        "P exit 0",
        "P.1 reparented init P",
        "P reaped init 0",
        "P.1 exit 3",
        "P.1 reaped init 3",
    ]
    assert seen.history.processes[0].name == "init"


def test_an_orphan_is_adopted_by_the_nearest_subreaper(acts: str) -> None:
    seen = record([acts, "rf(f(s5x2)x1)wwx4"])
    assert "P.1.1 reparented P P.1" in story(seen)
    assert "P.1.1 reaped P 2" in story(seen)


def test_a_zombie_that_loses_its_parent_is_reaped_by_init(acts: str) -> None:
    assert story(record([acts, "f(x5)s9"]))[-5:] == [
        "P.1 exit 5",
        "P exit 0",
        "P.1 reparented init P",
        "P.1 reaped init 5",
        "P reaped init 0",
    ]


def test_a_signal_is_told_when_it_is_sent_and_when_it_kills(acts: str) -> None:
    told = story(record([acts, "f(s9)k1w"]))
    sent = told.index("P sends SIGTERM P.1")
    assert told.index("P.1 signal P SIGTERM") > sent
    assert told[told.index("P.1 signal P SIGTERM") + 1] == "P.1 killed SIGTERM"
    assert "P.1 reaped P -15" in told


def test_stop_and_continue_are_told(compiled: Compile) -> None:
    seen = record(["sh", "-c", "sleep 5 & kill -STOP $!; sleep 2; kill -CONT $!; wait $!; exit $?"])
    kinds = [event.kind for event in seen.history.events if event.process == "P.1"]
    assert [kind for kind in kinds if kind in ("stopped", "continued", "exit")] == [
        "stopped",
        "continued",
        "exit",
    ]
    assert seen.seconds == 5.0


def test_the_first_process_is_1000_and_the_others_count_from_there(acts: str) -> None:
    seen = record([acts, "f(f(p)wp)wp"])
    assert seen.output == "1002\n1001\n1000\n"
    assert [process.pid for process in seen.history.processes] == [1000, 1001, 1002]


def test_without_a_namespace_the_numbers_are_changed_and_that_is_said(acts: str) -> None:
    seen = record([acts, "f(f(p)wp)wp"], namespace=False)
    assert seen.output == "1002\n1001\n1000\n"
    assert not seen.real_pids
    assert seen.to_json()["run"]["pids"] == "renumbered"


def test_the_same_seed_gives_the_same_history_and_another_seed_another(acts: str) -> None:
    program = [acts, "f(pf(p)p)f(pp)pwpw"]
    first = [json.dumps(record(program, seed=seed).to_json()) for seed in range(6)]
    again = [json.dumps(record(program, seed=seed).to_json()) for seed in range(6)]
    assert first == again
    assert len({json.loads(told)["run"]["output"] for told in first}) > 3


@pytest.mark.usefixtures("busy_machine")
def test_a_busy_machine_changes_nothing(acts: str) -> None:
    program = ["sh", "-c", f"{acts} 'f(pf(p)p)f(pp)pwpw' | sort | cat; sleep 3 & wait"]
    told = {json.dumps(record(program, seed=7).to_json()) for _ in range(10)}
    assert len(told) == 1
    assert json.loads(told.pop())["run"]["reproducible"]


def test_one_that_waits_for_another_without_a_call_does_not_wait_for_ever(
    compiled: Compile,
) -> None:
    """It looks at shared memory over and over: the others get their turn in the end, and that is said."""
    seen = record(
        [
            compiled("""
            #include <sys/mman.h>
            #include <sys/wait.h>
            #include <unistd.h>
            int main(void)
            {
                int shared = MAP_SHARED | MAP_ANONYMOUS;
                volatile int *flag = mmap(0, 4096, PROT_READ | PROT_WRITE, shared, -1, 0);
                pid_t child = fork();
                if (child == 0) {
                    while (!*flag)
                        ;
                    _exit(7);
                }
                sleep(1);
                *flag = 1;
                wait(0);
                return 0;
            }
            """)
        ],
        seed=1,
    )
    assert seen.ended_early is None
    assert "P.1 reaped P 7" in story(seen)
    assert seen.reasons == ("somebody computes for long while others could run",)


def test_two_thousand_children_are_all_there(compiled: Compile) -> None:
    seen = record(
        [
            compiled("""
            #include <sys/wait.h>
            #include <unistd.h>
            int main(void)
            {
                for (int i = 0; i < 2000; i++) {
                    int status;
                    if (fork() == 0)
                        _exit(i & 255);
                    wait(&status);
                }
                return 0;
            }
            """)
        ]
    )
    reaped = [event for event in seen.history.events if event.kind == "reaped"]
    assert [(e.process, e.by, e.status) for e in reaped[:-1]] == [
        (f"P.{n + 1}", "P", n & 255) for n in range(2000)
    ]


PATIENT = """
import ctypes, os, select, signal, subprocess, threading, time
start = time.monotonic()
def at(): return round(time.monotonic() - start, 3)
def show(*words): print(*words, at())
time.sleep(100); show("sleep")
select.select([], [], [], 50); show("select")
select.poll().poll(7000); show("poll")
select.epoll().poll(3); show("epoll")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
show("sigtimedwait", signal.sigtimedwait([signal.SIGUSR1], 9))
signal.signal(signal.SIGALRM, lambda *_: show("ring"))
signal.alarm(5); signal.pause(); show("alarm")
signal.setitimer(signal.ITIMER_REAL, 2, 3); time.sleep(9); show("timer")
signal.setitimer(signal.ITIMER_REAL, 0)
show("futex", threading.Event().wait(20))
try: subprocess.run(["sleep", "1000"], timeout=30)
except subprocess.TimeoutExpired: show("subprocess")
show(time.strftime("%H:%M:%S", time.gmtime()))
"""


def test_all_that_waits_for_time_costs_none_of_it() -> None:
    seen = record([sys.executable, "-c", PATIENT])
    assert seen.output.splitlines() == [
        "sleep 100.0",
        "select 150.0",
        "poll 157.0",
        "epoll 160.0",
        "sigtimedwait None 169.0",
        "ring 174.0",
        "alarm 174.0",
        "ring 176.0",
        "ring 179.0",
        "ring 182.0",
        "timer 183.0",
        "futex False 203.0",
        "subprocess 233.0",
        "09:03:53 233.0",
    ]


def test_the_timeout_command_costs_no_time_either() -> None:
    """It uses timer_create(2)."""
    seen = record(["sh", "-c", "timeout 50 sleep 1000; echo $?"])
    assert (seen.output, seen.seconds, seen.reproducible) == ("124\n", 50.0, True)


def test_a_sleep_that_is_cut_short_tells_what_is_left(compiled: Compile) -> None:
    seen = record(
        [
            compiled("""
            #include <signal.h>
            #include <stdio.h>
            #include <unistd.h>
            static void ring(int number) { (void)number; }
            int main(void)
            {
                signal(SIGALRM, ring);
                alarm(3);
                printf("%u left\\n", sleep(10));
                return 0;
            }
            """)
        ]
    )
    assert seen.output == "7 left\n"
    assert seen.seconds == 3.0


def test_a_select_that_is_cut_short_tells_what_is_left(compiled: Compile) -> None:
    """And after a stop it goes on with that: so it lasts as much longer."""
    seen = record(
        [
            compiled("""
            #include <signal.h>
            #include <stdio.h>
            #include <sys/select.h>
            #include <unistd.h>
            static void ring(int number) { (void)number; }
            int main(void)
            {
                struct timeval limit = {10, 0};
                pid_t stopped = getpid();
                signal(SIGALRM, ring);
                alarm(3);
                select(0, NULL, NULL, NULL, &limit);
                printf("%ld left\\n", (long)limit.tv_sec);
                if (fork() == 0) {
                    sleep(2);
                    kill(stopped, SIGSTOP);
                    sleep(20);
                    kill(stopped, SIGCONT);
                    return 0;
                }
                select(0, NULL, NULL, NULL, &limit);
                return 0;
            }
            """)
        ]
    )
    assert seen.output == "7 left\n"
    assert seen.seconds == 30.0


@pytest.mark.parametrize(
    ("wait", "within", "seconds"),
    [
        ("sleep(100)", "sleep(2)", 3),  # a sleep in the handler is none that goes on
        ("poll(NULL, 0, 100000)", "poll(NULL, 0, 2000)", 3),
        ("sleep(100); sleep(100)", "", 101),  # nor is one after it
        ("poll(NULL, 0, 100000); poll(NULL, 0, 100000)", "", 101),
        ("sleep(sleep(100))", "", 100),
    ],
)
def test_what_is_waited_for_after_a_handler_is_waited_for_anew(
    wait: str, within: str, seconds: int, compiled: Compile
) -> None:
    leave = "_exit(0);" if within else ""
    program = f"""
        #include <poll.h>
        #include <signal.h>
        #include <unistd.h>
        static void heard(int number) {{ (void)number; {within}; {leave} }}
        int main(void) {{
            pid_t parent = getpid();
            if (fork() == 0) {{ sleep(1); return kill(parent, SIGTERM); }}
            signal(SIGTERM, heard);
            {wait};
        }}
    """
    assert record([compiled(program)]).seconds == seconds


def test_who_is_stopped_oversleeps() -> None:
    """The clock goes on without it, and it goes on when SIGCONT comes."""
    script = "sleep 1 & kill -STOP $!; sleep 5; kill -CONT $!; wait $!; echo woken"
    seen = record(["sh", "-c", script])
    assert (seen.output, seen.seconds) == ("woken\n", 5.0)


def test_a_program_that_waits_by_looking_at_the_clock_comes_to_an_end() -> None:
    loop = "import time\nend = time.time() + 30\nwhile time.time() < end: pass\nprint('over')"
    assert record([sys.executable, "-c", loop]).output == "over\n"


def test_in_real_time_nothing_is_held_and_that_is_said(acts: str) -> None:
    seen = record([acts, "f(s1x7)w"], real_time=True)
    assert "P.1 reaped P 7" in story(seen)
    assert seen.history.events[-1].t >= 1.0
    assert not seen.reproducible


def test_pipes_between_processes_are_reproducible() -> None:
    seen = record(["sh", "-c", "seq 20000 | sort -r | tail -1"])
    assert (seen.output, seen.reproducible) == ("1\n", True)


def test_threads_are_recorded_and_make_a_run_one_of_its_kind() -> None:
    program = (
        "import threading; t = threading.Thread(target=print, args=('hi',)); t.start(); t.join()"
    )
    seen = record([sys.executable, "-c", program])
    assert "hi" in seen.output
    assert seen.reasons == ("it has several threads",)


def test_a_line_in_the_buffer_is_printed_twice_into_a_pipe_and_once_on_a_terminal(
    compiled: Compile,
) -> None:
    program = compiled("""
        #include <stdio.h>
        #include <sys/wait.h>
        #include <unistd.h>
        int main(void) { printf("once\\n"); fork(); wait(NULL); return 0; }
    """)
    assert record([program]).output == "once\n"
    assert record([program], pipe=True).output == "once\nonce\n"


def test_a_parent_that_ignores_sigchld_leaves_no_zombies() -> None:
    program = "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
    program += "os.fork() or os._exit(3)\ntime.sleep(5)"
    told = story(record([sys.executable, "-c", program]))
    assert told[told.index("P.1 exit 3") + 1] == "P.1 reaped kernel 3"


DIARY = """
import os, signal, time
def note(number, _): print("caught", signal.Signals(number).name, flush=True)
signal.signal(signal.SIGUSR1, note)
for status in (0, 3, 255):
    child = os.fork()
    if child == 0: os._exit(status)
    print("waited", os.waitpid(child, 0)[0] == child, status, flush=True)
child = os.fork()
if child == 0: signal.pause()
os.kill(child, signal.SIGKILL)
print("killed", os.waitpid(child, 0)[1], flush=True)
os.kill(os.getpid(), signal.SIGUSR1)
child = os.fork()
if child == 0:
    time.sleep(0.05)
    os._exit(9)
print("not yet", os.waitpid(child, os.WNOHANG), flush=True)
time.sleep(0.2)
seen = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print("still there", seen.si_status, os.waitpid(child, 0)[1], flush=True)
try: os.wait()
except ChildProcessError as error: print(error, flush=True)
"""


def test_a_program_sees_under_the_lens_what_it_sees_without() -> None:
    command = [sys.executable, "-c", DIARY]
    without = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert record(command).output == without.stdout
    assert record(command, real_time=True).output == without.stdout
    assert len(without.stdout.splitlines()) == 8


def test_a_program_that_wants_to_trace_another_is_told_that_it_cannot(compiled: Compile) -> None:
    """A process has one tracer at most: the second one gets EPERM."""
    seen = record(
        [
            compiled("""
            #include <errno.h>
            #include <signal.h>
            #include <stdio.h>
            #include <sys/ptrace.h>
            #include <sys/wait.h>
            #include <unistd.h>
            int main(void)
            {
                pid_t child = fork();
                if (child == 0)
                    pause();
                long result = ptrace(PTRACE_SEIZE, child, 0, 0);
                printf("%ld %d\\n", result, errno == EPERM);
                kill(child, SIGKILL);
                wait(0);
                return 0;
            }
            """)
        ]
    )
    assert (seen.output, seen.status, seen.ended_early) == ("-1 1\n", 0, None)


@pytest.mark.parametrize("namespace", [True, False])
def test_a_program_starts_clean(namespace: bool) -> None:
    """Nothing of ours is open, blocked, caught or ticking in it."""
    look = """if True:
        import os, signal
        print(sorted(map(int, os.listdir("/proc/self/fd")))[:-1])
        print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(signal.ITIMER_REAL))
        print([s for s in (signal.SIGALRM, signal.SIGCHLD, signal.SIGTERM)
               if signal.getsignal(s) is not signal.SIG_DFL])
    """
    seen = record([sys.executable, "-I", "-c", look], namespace=namespace)
    descriptors, masks, handlers = seen.output.splitlines()
    assert descriptors == "[0, 1, 2]"
    assert masks == "set() (0.0, 0.0)"
    assert handlers == "[]"


# What goes wrong


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(CannotRecordError, match=r"There is no program no-such-program\."):
        record(["no-such-program"])


def test_a_file_that_is_not_executable_is_named_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("#!/bin/sh\n")
    with pytest.raises(CannotRecordError, match=r"not executable.*chmod \+x"):
        record([str(tmp_path / "notes")])


def test_a_file_that_the_kernel_does_not_understand_is_said_to_be_none_for_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "odd").write_bytes(b"\x7fELF" + bytes(60))
    (tmp_path / "odd").chmod(0o755)
    with pytest.raises(CannotRecordError, match="can't be run: it was built for another machine"):
        record([str(tmp_path / "odd")])


def nobody_left() -> bool:
    return not any("forklab.lens" in " ".join(_words(p)) for p in psutil.Process().children(True))


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_an_endless_loop_is_ended_and_the_trouble_says_which_clock() -> None:
    seen = record(["sh", "-c", "while :; do :; done"], limits=Limits(processor_seconds=0.5))
    assert seen.status is None
    assert "processor busy for more than 0.5 seconds" in (seen.ended_early or "")
    assert nobody_left()


def test_endless_sleeping_is_ended_by_virtual_time() -> None:
    seen = record(
        ["sh", "-c", "while :; do sleep 3600; done"], limits=Limits(virtual_seconds=20_000.0)
    )
    assert "20000 seconds of virtual time" in (seen.ended_early or "")


def test_a_fork_bomb_is_ended(compiled: Compile) -> None:
    bomb = compiled("#include <unistd.h>\nint main(void) { for (;;) fork(); }")
    seen = record([bomb], limits=Limits(processes=50))
    assert "more than 50 processes" in (seen.ended_early or "")
    assert nobody_left()


def test_endless_output_is_cut_and_that_is_said() -> None:
    seen = record(["yes"], limits=Limits(processor_seconds=1.0, output=5000))
    assert (len(seen.output), seen.cut) == (5000, True)


def test_who_waits_for_ever_is_named(acts: str, compiled: Compile) -> None:
    seen = record(["sh", "-c", "kill -STOP $$"])
    assert seen.ended_early == "Everybody waits, and nobody will ever wake them: P is stopped."


def test_a_program_that_kills_everybody_it_can_reach_harms_nobody_else(acts: str) -> None:
    """kill(-1) is for the whole namespace; without one the lens keeps it inside the program."""
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        for namespace in (True, False):
            seen = record(
                [
                    sys.executable,
                    "-c",
                    "import os; os.fork(); os.kill(-1, 15); os.kill(os.getppid(), 9)",
                ],
                namespace=namespace,
            )
            assert seen.ended_early is None
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="the arguments of clone(2) have another order"
)
def test_a_child_that_nobody_shall_trace_is_traced(compiled: Compile) -> None:
    seen = record([compiled("""
        #include <signal.h>
        #include <sys/syscall.h>
        #include <sys/wait.h>
        #include <unistd.h>
        int main(void) {
            if (syscall(SYS_clone, 0x800000 | SIGCHLD, 0, 0, 0, 0) == 0) return write(1, "child", 5) != 5;
            wait(NULL);
            return 0;
        }
    """)])  # fmt: skip
    assert (seen.output, [process.name for process in seen.history.processes]) == (
        "child",
        ["P", "P.1"],
    )


def test_ctrl_c_leaves_nobody(tmp_path: Path) -> None:
    program = "from forklab.lens.record import record\n"
    program += "record(['sh', '-c', 'while :; do :; done & echo ready; wait'], echo=True)"
    caller = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert caller.stdout is not None
    assert caller.stdout.readline() == b"ready\n"
    family = psutil.Process(caller.pid).children(recursive=True)
    os.kill(caller.pid, signal.SIGINT)
    caller.wait(20)
    caller.stdout.close()
    gone, left = psutil.wait_procs(family, timeout=20)
    assert len(gone) >= 3
    assert left == []
