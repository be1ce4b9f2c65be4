"""Sweeps: what a plan asks for is trained, once, also when the sweep is killed on the way."""

import concurrent.futures
import functools
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import threading

import numpy as np
import pandas as pd
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparsecourse import layers, masks, measure, methods, sweep, tables

RANDOM = ("random, ERK", "random, uniform")
SWEPT = ["dense", "L1", "one-shot", "gradual", "random", "local", "SET", "RigL"]
KILLED = """
import os, signal, sys, sparsecourse
from sparsecourse import sweep
whole = sweep.plan("gradual", [0.1, 0.2, 0.3, 0.4, 0.5], range(4))
def run(rows):
    global begun
    begun += 1
    with open(sys.argv[1] + ".calls", "a") as calls:
        calls.write("".join(f"{level} {seed}\\n" for level, seed in zip(rows["level"], rows["seed"])))
    if dies and begun == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return rows.assign(result=rows["level"] * 100 + rows["seed"])
for dies in (True, True, True, False):  # in a process of its own each time
    begun = 0
    if not (process := os.fork()):
        sweep.resume(whole, run, sys.argv[1], at_once=3)
        os._exit(0)
    _, ended = os.waitpid(process, 0)
    print(os.waitstatus_to_exitcode(ended), sum(1 for line in open(sys.argv[1])) - 1)
"""


@pytest.fixture(scope="module")
def small():
    """A plan for few networks, of two widths."""
    return pd.concat([sweep.plan("dense", [0], range(3)), sweep.plan("gradual", [0.5, 0.8], range(3), width=50)])


@pytest.fixture
def script(monkeypatch):
    """Function that loads one of the scripts that write data/results, by name."""

    monkeypatch.syspath_prepend(tables.folder("results"))  # one of them takes what it shares from another

    def loaded(name):
        spec = importlib.util.spec_from_file_location(name, tables.folder("results") / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return loaded


def test_a_plan_has_a_row_for_every_level_and_seed():
    plan = sweep.plan("L1", [0.1, 0.2], [3, 4], width=64, shuffled=True)
    assert plan["level"].tolist() == [0.1, 0.1, 0.2, 0.2]
    assert plan["seed"].tolist() == [3, 4, 3, 4]
    assert (plan[["method", "width", "shuffled"]] == ["L1", 64, True]).all(axis=None)


@pytest.mark.parametrize(
    ("name", "level", "words"),
    [
        ("pruned", 0.1, "method must be one of dense; L1"),
        ("lottery", 0.5, "method 'lottery' needs the setting 'rounds'"),
        ("small world", 0.5, "method 'small world' needs the setting 'rewiring_probability'"),
        ("gradual", 1.2, r"sparsity must lie in \[0, 1\), got 1.2"),
        ("L1", -1, "the strength of L1"),
    ],
)
def test_a_plan_holds_nothing_that_can_not_be_built(name, level, words):
    with pytest.raises(ValueError, match=words):
        sweep.plan(name, [level], [0], width=20)


def test_random_and_local_differ_in_the_places_only():
    chance, window = (sweep.method(name, 0.8, seed=3, width=100) for name in ("random", "local"))
    for one, other in zip(chance.masks, window.masks, strict=True):
        assert (one.sum(axis=1) == other.sum(axis=1)).all()
    assert (chance.masks[0] != window.masks[0]).any()
    assert (window.masks[0] == masks.local((100, 40), int(window.masks[0][0].sum()))).all()


def test_every_method_is_trained_for_the_same_steps_and_counted():
    whole = pd.concat(
        [
            sweep.plan("dense", [0], [0], width=20),
            sweep.plan("L1", [0.1], [0], width=20),
            *(sweep.plan(name, [0.5], [0], width=20) for name in SWEPT[2:]),
        ]
    )
    table, networks = sweep.train(whole, steps=80, count_cost=True)
    assert table["method"].tolist() == SWEPT
    for row, network in zip(table.itertuples(), networks, strict=True):
        assert row.sparsity == pytest.approx(methods.realised_sparsity(network))
        assert row.method in ("dense", "L1") or row.sparsity == pytest.approx(0.5, abs=0.02)
    cost = table.set_index("method")["cost"]
    assert cost["dense"] == 1
    assert cost["one-shot"] == pytest.approx(0.75)  # half of the steps at half of the density
    portions = np.mean([0.5 * (1 - (1 - k / 20) ** 3) for k in range(20)])  # 20 cuts, over half of the training
    assert cost["gradual"] == pytest.approx(1 - (0.5 * portions + 0.3 * 0.5), abs=1e-3)
    assert cost["local"] == cost["random"] == pytest.approx(0.5, abs=0.02)
    assert cost["SET"] == pytest.approx(cost["random"], abs=0.01)
    assert cost["RigL"] == pytest.approx(
        cost["random"] + 30 / 80 * 2 / 3, abs=0.01
    )  # of three parts one is dense, two half
    with pytest.raises(ValueError, match="steps must be a multiple of 2, the rounds of 'one-shot', got 41"):
        sweep.train(whole, steps=41)


def test_a_sweep_gives_what_one_call_gives(tmp_path, small):
    def run(rows):
        assert len(set(rows["width"])) == 1
        return sweep.train(rows, steps=6)[0]

    found = sweep.resume(small, run, tmp_path / "small.csv", at_once=2)
    assert (found[sweep.KEYS].to_numpy() == small[sweep.KEYS].to_numpy()).all()
    together = pd.concat([sweep.train(rows, steps=6)[0] for _, rows in small.groupby("width", sort=False)])
    assert found["validation_accuracy"].to_numpy() == pytest.approx(
        together["validation_accuracy"].to_numpy(), abs=0.01
    )
    again = sweep.resume(small, lambda rows: pytest.fail("it was all there"), tmp_path / "small.csv")
    pd.testing.assert_frame_equal(again, found.reset_index(drop=True))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_sweep_loses_and_repeats_nothing(tmp_path):
    """Killed three times without warning, each time in its second batch."""
    path, calls = tmp_path / "sweep.csv", tmp_path / "sweep.csv.calls"
    said = subprocess.run([sys.executable, "-c", KILLED, path], check=True, stdout=subprocess.PIPE, text=True).stdout
    ends = [line for line in said.splitlines() if "of" not in line]
    assert ends == [f"{-signal.SIGKILL} 3", f"{-signal.SIGKILL} 6", f"{-signal.SIGKILL} 9", "0 20"]
    table = pd.read_csv(path)
    assert table["result"].tolist() == [100 * level + seed for level in (0.1, 0.2, 0.3, 0.4, 0.5) for seed in range(4)]
    trained = calls.read_text().splitlines()
    # only the batch that was under way at a kill was trained twice: it was not finished
    assert len(trained) == 20 + 3 * 3


def test_levels_with_many_digits_are_found_again(tmp_path):
    whole = sweep.plan("gradual", [1 / 3, 2 / 3], range(4))
    calls = []

    def run(rows):
        calls.extend(rows.index)
        if len(calls) > 4:
            raise KeyboardInterrupt
        return rows.assign(result=1)

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            sweep.resume(whole, run, tmp_path / "thirds.csv", at_once=4)
    calls.clear()
    found = sweep.resume(whole, run, tmp_path / "thirds.csv", at_once=4)
    assert len(found) == len(whole)
    assert len(calls) == 4  # the second half


def test_what_the_plan_does_not_ask_for_is_refused(tmp_path, small):
    path = tmp_path / "other.csv"
    sweep.plan("dense", [0], [0, 1]).assign(result=1).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"other.csv holds networks that the plan does not ask for"):
        sweep.resume(sweep.plan("dense", [0], [0]), None, path)
    with pytest.raises(ValueError, match="asks for a network twice"):
        sweep.resume(pd.concat([small, small]), None, tmp_path / "new.csv")


def test_the_local_network_leaves_no_unit_idle():
    table = measure.wiring(sweep.method("local", 0.9, seed=0, width=100).masks)
    assert table.loc["all", "dead_outputs"] == 0


def test_an_interrupt_ends_a_sweep_and_stores_no_half_trained_network(tmp_path, monkeypatch):
    """As if a person pressed Ctrl-C in the middle of a training."""

    def interrupted(method, network, clock, state):
        if clock.step == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(methods.Dense, "after_step", interrupted)
    whole = sweep.plan("dense", [0], [0, 1], width=20)
    with pytest.raises(KeyboardInterrupt):
        sweep.resume(whole, lambda rows: sweep.train(rows, steps=10)[0], tmp_path / "sweep.csv", at_once=1)
    assert not (tmp_path / "sweep.csv").exists()


def test_a_network_that_is_not_as_was_asked_ends_a_sweep_before_it_is_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(methods.Gradual, "after_step", lambda *_: None)  # it never cuts
    whole = pd.concat([sweep.plan("dense", [0], [0], width=20), sweep.plan("gradual", [0.5], [0], width=20)])
    with pytest.raises(AssertionError, match=r"1 of 2 networks are not as was asked: .*0\.5000 was asked for, 0\.0000"):
        sweep.resume(whole, lambda rows: sweep.train(rows, steps=4)[0], tmp_path / "sweep.csv")
    assert not (tmp_path / "sweep.csv").exists()


@given(
    st.lists(
        st.sampled_from(["NA", "nan", "None", "null", "N/A", "a b", "ERK, random", "1e5x", 'a "b"', "é"]),
        unique=True,
        min_size=1,
    )
)
def test_a_name_that_pandas_takes_for_nothing_stays_a_name(names):
    """ "NA" may be somebody's label."""
    with tempfile.TemporaryDirectory() as folder:
        whole = pd.DataFrame({"method": [*names, "dense"], "level": 0.5})
        for _ in range(2):
            found = sweep.resume(whole, lambda rows: rows.assign(result=1.0), f"{folder}/s.csv", together="level")
            assert found["method"].tolist() == [*names, "dense"]


@pytest.mark.parametrize("column", [["01", "02"], ["1.50", "2"], [True, "True"], ["", "a"]], ids=str)
def test_what_a_csv_file_can_not_hold_is_refused_before_anything_is_trained(column, tmp_path):
    whole = pd.DataFrame({"method": column, "level": 0.5}, dtype=object)
    with pytest.raises(ValueError, match="'method' of the plan does not come back from a CSV file as it is"):
        sweep.resume(whole, lambda rows: pytest.fail("trained"), tmp_path / "s.csv", together="level")


def test_a_setting_that_some_methods_lack_is_no_number_and_comes_back(tmp_path):
    whole = pd.DataFrame({"method": ["a", None, "b"], "rounds": [2, np.nan, 3]})
    for _ in range(2):
        found = sweep.resume(
            whole, lambda rows: rows.assign(result=1), tmp_path / "s.csv", together="method", at_once=1
        )
        pd.testing.assert_frame_equal(found[["method", "rounds"]], whole, check_dtype=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.iloc[1:],
        lambda rows: pd.concat([rows, rows]),
        lambda rows: rows.assign(seed=9),
        lambda rows: rows.drop(columns="seed"),
    ],
)
def test_a_run_that_loses_or_doubles_its_rows_is_found(tmp_path, change):
    with pytest.raises(ValueError, match="run must return each of its rows once"):
        sweep.resume(sweep.plan("dense", [0], range(3)), change, tmp_path / "s.csv")
    assert not (tmp_path / "s.csv").exists()


def test_numbers_that_rounding_would_change_are_refused(tmp_path):
    whole = pd.DataFrame({"rate": [1.23456e-8, 4e-10], "method": "a"})
    with pytest.raises(ValueError, match="take another unit"):
        sweep.resume(whole, lambda rows: pytest.fail("trained"), tmp_path / "s.csv", together="method")


def test_a_plan_takes_what_can_be_read_once():
    plan = sweep.plan("one-shot", iter([0.5, 0.9]), iter(range(3)))
    assert len(plan) == 6
    with pytest.raises(ValueError, match="the dense network has no level but 0"):
        sweep.plan("dense", [0.9], [0])


def test_the_width_of_a_dense_network_has_no_end():
    width = sweep.dense_width(5_000_000)
    weights = [abs(50 * w + w * w - 5_000_000) for w in (width - 1, width, width + 1)]
    assert min(weights) == weights[1]


def test_a_missing_folder_is_found_before_anything_is_trained(tmp_path, small):
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere to write s\.csv into"):
        sweep.resume(small, lambda rows: pytest.fail("trained"), tmp_path / "nowhere" / "s.csv")


def test_rows_that_are_no_longer_in_the_plan_are_found(tmp_path):
    whole = sweep.plan("gradual", [1 / 3, 0.5], [0])
    with pytest.raises(ValueError, match="columns of the plan as they were"):
        sweep.resume(whole, lambda rows: rows.assign(result=1).round(3), tmp_path / "sweep.csv")


@pytest.mark.parametrize("name", ["cuts_100", "lenet", "lenet_sgd", "three_ways_256", "windows_256", "wirings_256"])
def test_a_recorded_table_holds_what_its_plan_asks_for(name, script):
    module = script(name)
    whole = module.plan(module.Size()) if name == "lenet" else module.plan()
    keys, table = list(whole.columns), tables.folder("results") / f"{name}.csv"
    found = sweep.resume(whole, lambda rows: pytest.fail("a network is missing"), table, together=keys)
    assert len(found) == len(whole)


def test_a_learning_rate_was_tried_for_every_setting_and_the_best_was_taken(script):
    module = script("three_ways_256")
    whole, table = module.rates(), tables.folder("results") / "rates_256.csv"
    found = sweep.resume(whole, lambda rows: pytest.fail("a network is missing"), table, list(whole.columns))
    means = found.fillna(0).groupby([*module.SETTING, "learning_rate"])["validation_accuracy"].mean()
    chosen = module.plan().drop(columns="seed").drop_duplicates()
    assert len(chosen) * len(module.RATES) == len(means)
    for row in chosen.itertuples():
        tried = means.loc[row.method, row.level, row.width, row.shuffled]
        assert tried[row.learning_rate] == tried.max()


def test_a_sweep_trains_as_it_is_told():
    rows = pd.concat([sweep.plan("dense", [0], [0], width=20), sweep.plan("one-shot", [0.5], [0], width=20)])
    descent = functools.partial(torch.optim.SGD, momentum=0.9)
    _, (dense, _) = sweep.train(rows, steps=4, learning_rate=1e-9, optimizer=descent)
    first = layers.mlp(sweep.sizes(20), 0)
    torch.testing.assert_close(dense.state_dict(), first.state_dict())


# ------------------------------------------------------------------------------------------ on others than this process


class Eager(concurrent.futures.Executor):
    """The least that an executor can be: it does the work when asked, and must be left running."""

    def submit(self, function, *arguments):
        future = concurrent.futures.Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        pytest.fail("it belongs to who has made it")


@pytest.mark.parametrize("make", [Eager, lambda: concurrent.futures.ThreadPoolExecutor(3)], ids=["own", "threads"])
def test_any_executor_comes_to_the_same_file(tmp_path, small, make):
    def run(rows):
        return sweep.train(rows, steps=6)[0]

    executor = make()
    sweep.resume(small, run, tmp_path / "here.csv", at_once=1)
    sweep.resume(small, run, tmp_path / "there.csv", at_once=1, executor=executor)
    assert (tmp_path / "there.csv").read_text() == (tmp_path / "here.csv").read_text()
    assert executor.submit(int, "7").result() == 7  # it is still running


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_or_an_interrupt_nothing_more_is_begun(tmp_path, monkeypatch, error):
    """The third batch fails, or Ctrl-C comes when two are stored; the next one waits until the sweep has ended."""
    ended, begun, stored = threading.Event(), [], []

    def run(rows):
        begun.append(rows["seed"].tolist())
        if len(begun) == 3:
            if error is ValueError:
                raise ValueError("it is in a bad mood")
            assert ended.wait(60)
        elif len(begun) > 3:
            assert ended.wait(60)
        return rows.assign(result=1)

    def replace(fresh, path, plain=os.replace):
        plain(fresh, path)
        stored.append(path)
        if error is KeyboardInterrupt and len(stored) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(sweep.os, "replace", replace)
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        with pytest.raises(error):
            sweep.resume(sweep.plan("dense", [0], range(20)), run, tmp_path / "s.csv", at_once=1, executor=executor)
        ended.set()
    assert len(begun) <= 4  # of twenty
    assert len(pd.read_csv(tmp_path / "s.csv")) == 2


def test_threads_of_one_process_take_turns(tmp_path):
    """They share torch's random numbers: two that draw at once would both get others than their seeds give."""
    inside = []

    def run(rows):
        inside.append(1)
        assert len(inside) == 1
        torch.randn(200, 200) @ torch.randn(200, 200)  # lets other threads in
        inside.pop()
        return rows.assign(result=1)

    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        sweep.resume(sweep.plan("dense", [0], range(40)), run, tmp_path / "s.csv", at_once=1, executor=executor)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_cluster_that_loses_a_machine_loses_and_repeats_nothing(tmp_path, small):
    """Two workers of a Dask cluster, one of which dies without a word in the middle of the sweep."""
    distributed = pytest.importorskip("distributed")
    killed = tmp_path / "killed"

    def run(rows):
        if rows["seed"].iloc[0] == 1 and os.getpid() != here and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return sweep.train(rows, steps=6)[0]

    here = os.getpid()
    sweep.resume(small, run, tmp_path / "here.csv", at_once=1)
    assert not killed.exists()
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "local_directory": tmp_path}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        executor = client.get_executor(pure=False)
        sweep.resume(small, run, tmp_path / "there.csv", at_once=1, executor=executor)
        assert killed.exists()
        assert executor.submit(int, "7").result() == 7
    assert (tmp_path / "there.csv").read_text() == (tmp_path / "here.csv").read_text()


@pytest.fixture
def one_thread():
    """One thread for torch, as a worker of the yardstick has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_the_yardstick_killed_and_resumed_comes_to_the_same_numbers(tmp_path, script, one_thread):
    """A quick slice of `make lenet`: every method on few images, unbroken here, and killed with its workers."""
    command = [sys.executable, str(tables.folder("results") / "lenet.py"), "--quick"]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    lenet, killed = script("lenet"), tmp_path / "killed"
    one = sweep.resume(lenet.plan(lenet.QUICK), lenet.run, tmp_path / "unbroken.csv", together=["method", "epochs"])
    with subprocess.Popen([*command, killed], env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("3 of"):
                break
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive
    before = pd.read_csv(killed / "lenet.csv")
    assert 3 <= len(before) < len(one)
    said = subprocess.run([*command, killed], check=True, env=environment, capture_output=True, text=True).stdout
    assert len(said.splitlines()) == len(one) - len(before)  # none is trained twice
    other = pd.read_csv(killed / "lenet.csv")
    assert sorted(set(one["method"])) == sorted({*"L1 RigL SET SNIP dense gradual lottery one-shot".split(), *RANDOM})
    numbers = ["method", "level", "seed", "sparsity", "train_accuracy", "validation_accuracy", "test_accuracy", "steps"]
    pd.testing.assert_frame_equal(one[numbers], other[numbers])
