"""The world of the capstone: its physics, its camera, and that seeds decide everything."""

import itertools

import numpy as np
import pytest
import torch

from sparsecourse import circuits, driving


def test_a_road_is_decided_by_its_seed_and_does_not_change_when_it_grows():
    short, long = driving.road(3, 100), driving.road(3, 250)
    assert np.array_equal(short, long[:100])
    assert not np.array_equal(short, driving.road(4, 100))
    assert np.abs(long).max() <= driving.SHARPEST
    assert np.abs(np.diff(long)).max() <= 0.05 * 2 * driving.SHARPEST


def test_a_car_that_does_not_steer_on_a_straight_road_goes_straight_on():
    zero, heading = torch.zeros(1), torch.tensor([0.1])
    offset = torch.tensor([0.2])
    for _ in range(10):
        offset, heading = driving.move(offset, heading, zero, zero)
    assert heading.item() == pytest.approx(0.1)
    assert offset.item() == pytest.approx(0.2 + 10 * driving.STEP * driving.SPEED * np.sin(0.1))


def test_steering_with_the_road_keeps_the_place_and_against_it_does_not():
    bend = torch.tensor([0.3])
    place = torch.zeros(1), torch.zeros(1)
    for _ in range(50):
        place = driving.move(*place, bend, bend)
    assert place == (torch.zeros(1), torch.zeros(1))
    offset, heading = driving.move(*driving.move(*place, torch.zeros(1), bend), torch.zeros(1), bend)
    assert offset < 0  # a left bend, not followed, leaves the car on the right
    assert heading < 0


def test_a_constant_curve_is_a_circle():
    """On a straight road, steering with curvature 1/R turns the car by one radian in R metres."""
    heading, steps = torch.zeros(1), round(2 / (driving.STEP * driving.SPEED))
    for _ in range(steps):
        _, heading = driving.move(torch.zeros(1), heading, torch.tensor([0.5]), torch.zeros(1))
    assert heading.item() == pytest.approx(2 * 0.5)


def test_left_and_right_are_mirrored():
    offset, heading, bend = torch.tensor([0.3]), torch.tensor([-0.2]), torch.tensor([0.1])
    image, mirrored = driving.camera(offset, heading, bend), driving.camera(-offset, -heading, -bend)
    assert torch.allclose(image.flip(-1), mirrored, atol=1e-6)
    torch.testing.assert_close(driving.expert(offset, heading, bend), -driving.expert(-offset, -heading, -bend))
    here, there = driving.move(offset, heading, bend, 2 * bend), driving.move(-offset, -heading, -bend, -2 * bend)
    torch.testing.assert_close(torch.stack(here), -torch.stack(there))


def test_what_the_camera_sees():
    zero = torch.zeros(1)
    straight = driving.camera(zero, zero, zero)[0]
    marks = torch.linspace(driving.SIGHT, -driving.SIGHT, driving.PIXELS)[straight > 0.5]
    assert (marks.abs() - driving.HALF_LANE).abs().max() < driving.MARK_WIDTH * 1.5
    left = driving.camera(torch.tensor([0.5]), zero, zero)[0]  # a car on the left sees its lane on the right
    centre = lambda image: (image * torch.arange(driving.PIXELS)).sum() / image.sum()  # noqa: E731
    assert centre(left) > centre(straight)
    shaded = driving.camera(zero, zero, zero, shadow=torch.tensor([driving.HALF_LANE]))[0]
    half = driving.PIXELS // 2
    assert shaded[:half].max() == pytest.approx(driving.SHADOW * straight[:half].max().item())
    assert torch.equal(shaded[half:], straight[half:])


def test_the_expert_keeps_its_lane_and_comes_back_to_it():
    found = driving.drive(None, range(20), steps=300)
    assert found.kept.all()
    offset, heading = torch.tensor([0.9]), torch.zeros(1)
    for _ in range(60):
        offset, heading = driving.move(offset, heading, driving.expert(offset, heading, torch.zeros(1)), torch.zeros(1))
    assert abs(offset.item()) < 0.05


def test_weather_belongs_to_its_seed_and_strength():
    alone, among = driving.Weather.draw([5], 20, noise=0.5), driving.Weather.draw([4, 5], 20, noise=[0.1, 0.5])
    assert torch.equal(alone.noise[0], among.noise[1])
    assert alone.noise.std().item() == pytest.approx(0.5, rel=0.1)
    assert driving.Weather.draw([5], 20, noise=0).at(3) == (None, None)
    with pytest.raises(ValueError, match="can't be negative, got -1"):
        driving.Weather.draw([5], 20, noise=-1)


def test_recordings_and_drives_repeat():
    X, y = driving.record([1, 2], steps=20)
    again, _ = driving.record([2], steps=20)
    assert X.shape == (2, 20, driving.PIXELS)
    assert y.shape == (2, 20, 1)
    assert torch.equal(X[1], again[0])
    circuit = circuits.Circuit(circuits.wiring("NCP", 0), seed=0)
    one, two = (driving.drive(circuit, [7], steps=30) for _ in range(2))
    assert torch.equal(one.offset, two.offset)


def test_the_parts_of_the_task_share_no_road():
    task = driving.lane_keeping(recordings=4)
    parts = [part[0] for part in (task.train, task.validation, task.test)]
    assert [len(X) for X in parts] == [4, 2, 2]
    assert not any(torch.equal(a[0], b[0]) for a, b in itertools.pairwise(parts))
    assert task.evaluate(task.test[1], task.test[1]).tolist() == [0, 0]


def test_metres_are_counted_to_the_edge_of_the_lane():
    offset = torch.zeros(2, 50)
    offset[0, 30:] = 1.2
    nothing = torch.zeros(2, 50)
    found = driving.Drive(nothing, offset, nothing, nothing, nothing, nothing)
    assert found.metres.tolist() == pytest.approx([3.0, 5.0])
    assert found.kept.tolist() == [False, True]


def test_a_car_that_is_lost_stays_finite():
    class Mad:
        def start(self, cars):
            return torch.zeros(cars, 1)

        def step(self, x, state):
            return torch.full((len(x), 1), 1e6), state

        def activity(self, state):
            return state

    found = driving.drive(Mad(), [1], steps=100)
    assert torch.isfinite(found.offset).all()
    assert not found.kept.any()
