"""A small world to drive in: a winding road, a car that must keep its lane, and a camera that sees one line of it.

A model car runs at 1 m/s along a lane 2 m wide and takes ten pictures a second. Its place is told by two numbers: how
far it is off the middle of the lane (metres, to the left), and how far it is turned against the road (radians, to the
left). Steering is the curvature of the path that it takes (1/m, to the left). Everything is computed for many cars at
once, and everything is decided by seeds: a road, its noise and its shadows depend on nothing but their own seed.
"""

from dataclasses import dataclass

import numpy as np
import torch

from sparsecourse import tasks

SPEED, STEP = 1.0, 0.1  # m/s, s
HALF_LANE = 1.0  # m
SHARPEST, TURN_STEPS = 0.5, 40  # 1/m; steps between two decisions of the road where to turn
PIXELS, AHEAD, SIGHT = 32, 2.0, 3.0  # pixels; m ahead of the car that they see, m to each side
MARK_WIDTH = 0.25  # m
SHADOW_WIDTH, SHADOW = 2.0, 0.3  # m; what is left of the light in a shadow
CAMERA_NOISE = 0.1  # standard deviation of a pixel's noise, where a mark's brightness is 1
LOST = 4.0  # m: a car further off is held there, so that numbers stay finite
FULL_LOCK = 2.0  # 1/m: the sharpest turn that a car can make


# ---------------------------------------------------------------------------------------------- road, car, camera


def road(seed, steps):
    """Curvature of a winding road, 1/m, positive to the left: an array (steps,).

    Every 40 steps it decides on a new curvature, and from then on comes nearer to it step by step.

    Args:
        seed: of the decisions.
        steps: length of the road; a longer road of the same seed begins in the same way.
    """
    wanted = np.random.default_rng([seed, 0]).uniform(-SHARPEST, SHARPEST, size=-(-steps // TURN_STEPS))
    curvature, now = np.empty(steps), 0.0
    for step in range(steps):
        now += 0.05 * (wanted[step // TURN_STEPS] - now)
        curvature[step] = now
    return curvature


def roads(seeds, steps):
    """Curvatures of several roads, a tensor (cars, steps)."""
    return torch.tensor(np.stack([road(seed, steps) for seed in seeds]), dtype=torch.float32)


def _drawn(seeds, purpose, draw):
    """What ``draw`` makes of a generator of each seed, a row a seed; every purpose has numbers of its own."""
    rows = [draw(np.random.default_rng([seed, purpose])) for seed in seeds]
    return torch.tensor(np.stack(rows), dtype=torch.float32)


def move(offset, heading, steering, curvature):
    """Where cars are one step later: (offset, heading).

    Args:
        offset: m left of the lane's middle, (cars,).
        heading: rad to the left of the road's direction, (cars,).
        steering: curvature of the path, 1/m, (cars,); held within what a car can turn.
        curvature: of the road, 1/m, (cars,).
    """
    steering = steering.clamp(-FULL_LOCK, FULL_LOCK)
    heading = heading + STEP * SPEED * (steering - curvature)
    offset = offset + STEP * SPEED * torch.sin(heading)
    return offset.clamp(-LOST, LOST), heading.clamp(-1.5, 1.5)


def camera(offset, heading, curvature, noise=None, shadow=None):
    """What the cameras see, (cars, 32): pixels from left to right, two bright marks at the edges of the lane.

    Args:
        offset, heading, curvature: as for :func:`move`, (cars,).
        noise: to add to the pixels, (cars, 32), or None.
        shadow: where a shadow lies, m to the left of the car, (cars,), or None.
    """
    places = torch.linspace(SIGHT, -SIGHT, PIXELS)
    middle = -offset - AHEAD * heading + curvature * AHEAD**2 / 2  # of the lane, seen from the car
    marks = torch.stack([middle + HALF_LANE, middle - HALF_LANE], dim=-1)
    light = torch.exp(-(((places - marks[..., None]) / MARK_WIDTH) ** 2) / 2).sum(dim=-2)
    if shadow is not None:
        light = light * torch.where((places - shadow[:, None]).abs() < SHADOW_WIDTH / 2, SHADOW, 1.0)
    return light if noise is None else light + noise


def expert(offset, heading, curvature):
    """How somebody steers who sees the true state: along the road, back to the middle, and straight."""
    return curvature - offset - 1.8 * heading


@dataclass(frozen=True)
class Weather:
    """What disturbs the cameras of several cars on several roads.

    Attributes:
        noise: (cars, steps, 32), or None.
        shadow: place of the shadow, (cars, steps), or None.
    """

    noise: torch.Tensor | None
    shadow: torch.Tensor | None

    @classmethod
    def draw(cls, seeds, steps, noise=CAMERA_NOISE, shadows=False):
        """The weather of each seed.

        Args:
            seeds: one a car.
            steps: how long.
            noise: standard deviation of each pixel's noise, one for all cars or one a car; 0 for none, never below.
            shadows: whether a shadow wanders over the road.
        """
        noise = torch.as_tensor(noise, dtype=torch.float32).expand(len(seeds))
        if (noise < 0).any():
            raise ValueError(f"noise is a standard deviation and can't be negative, got {noise.min().item()}")
        pixels = _drawn(seeds, 1, lambda rng: rng.normal(size=(steps, PIXELS)))
        turned = 2 * np.pi * np.arange(steps) / 100
        wander = _drawn(seeds, 2, lambda rng: SIGHT * np.sin(rng.uniform(0, 2 * np.pi) + turned))
        return cls(noise[:, None, None] * pixels if noise.any() else None, wander if shadows else None)

    def at(self, step):
        """(noise, shadow) of one step, as :func:`camera` wants them."""
        return tuple(None if part is None else part[:, step] for part in (self.noise, self.shadow))


# ------------------------------------------------------------------------------------------------- recordings


def record(seeds, steps=32):
    """Recordings of the expert, whose hand is pushed now and then, so that it is seen to come back to the middle.

    Args:
        seeds: one a recording.
        steps: pictures a recording.

    Returns:
        (X, y): pixels (recordings, steps, 32), and the steering that the expert wanted, 1/m, (recordings, steps, 1).
    """
    curvature, weather = roads(seeds, steps), Weather.draw(seeds, steps)
    offset, heading = _drawn(seeds, 3, lambda rng: rng.normal(size=2) * (0.4, 0.2)).T
    pushes = _drawn(seeds, 4, lambda rng: rng.normal(size=steps))
    push, images, wanted = torch.zeros(len(seeds)), [], []
    for step in range(steps):
        images.append(camera(offset, heading, curvature[:, step], *weather.at(step)))
        steering = expert(offset, heading, curvature[:, step])
        wanted.append(steering)
        push = 0.9 * push + 0.3 * pushes[:, step]
        offset, heading = move(offset, heading, steering + push, curvature[:, step])
    return torch.stack(images, dim=1), torch.stack(wanted, dim=1)[..., None]


def lane_keeping(recordings=512):
    """The task of imitating the expert, a ``tasks.Task``; its metric is the squared error of the steering.

    Args:
        recordings: for training; half as many for validation, and for the test. Each part has roads of its own.
    """
    return tasks.Task(
        name="lane keeping",
        train=record(range(100_000, 100_000 + recordings)),
        validation=record(range(200_000, 200_000 + recordings // 2)),
        test=record(range(300_000, 300_000 + recordings // 2)),
        loss=torch.nn.functional.mse_loss,
        metric="error",
        evaluate=lambda outputs, y: (outputs - y).square().flatten(start_dim=-2).mean(dim=-1),
    )


# ------------------------------------------------------------------------------------------------- closed loop


@dataclass(frozen=True)
class Drive:
    """What came of letting a network drive.

    Attributes:
        curvature: of the roads, (cars, steps).
        offset, heading, steering: of the cars, (cars, steps).
        images: what the cameras saw, (cars, steps, 32).
        activity: state of the network's neurons, (cars, steps, neurons).
    """

    curvature: torch.Tensor
    offset: torch.Tensor
    heading: torch.Tensor
    steering: torch.Tensor
    images: torch.Tensor
    activity: torch.Tensor

    @property
    def metres(self):
        """How far each car came before it left its lane, (cars,)."""
        out = self.offset.abs() > HALF_LANE
        steps = torch.where(out.any(dim=1), out.int().argmax(dim=1), out.shape[1])
        return steps * STEP * SPEED

    @property
    def kept(self):
        """Which cars kept their lane to the end, (cars,)."""
        return (self.offset.abs() <= HALF_LANE).all(dim=1)


@torch.no_grad()
def drive(network, seeds, steps=600, noise=CAMERA_NOISE, shadows=False):
    """Let a network drive, a :class:`Drive`: what it does decides what it sees next.

    Args:
        network: a module with ``start(cars)``, its state at the beginning, and ``step(pixels, state)``, which returns
            the steering (cars, 1) and the new state; or None for the expert.
        seeds: one a car, for its road and its weather.
        steps: length of the drive.
        noise, shadows: as for :meth:`Weather.draw`.
    """
    curvature, weather = roads(seeds, steps), Weather.draw(seeds, steps, noise, shadows)
    offset, heading = torch.zeros(len(seeds)), torch.zeros(len(seeds))
    state = None if network is None else network.start(len(seeds))
    seen = {name: [] for name in ("offset", "heading", "steering", "images", "activity")}
    for step in range(steps):
        pixels = camera(offset, heading, curvature[:, step], *weather.at(step))
        if network is None:
            steering, activity = expert(offset, heading, curvature[:, step]), torch.zeros(len(seeds), 0)
        else:
            steering, state = network.step(pixels, state)
            steering, activity = steering[:, 0], network.activity(state)
        for name, value in zip(seen, (offset, heading, steering, pixels, activity), strict=True):
            seen[name].append(value)
        offset, heading = move(offset, heading, steering, curvature[:, step])
    return Drive(curvature, **{name: torch.stack(values, dim=1) for name, values in seen.items()})
