"""Panel of lesson 11: a circuit at the wheel."""

import functools

import ipywidgets
from matplotlib.figure import Figure

from sparsecourse import circuits, driving, palette, plots
from sparsecourse.panels.building import build, dropdown, playing, slider, with_text_box

DRIVERS = {
    "NCP, 253 synapses": "NCP",
    "dense, 969 synapses": "dense",
    "seven neurons, 273 synapses": "seven",
    "one neuron, 32 synapses": "one",
}
NOISES = {"none": 0.0, "0.1, as in training": 0.1, "0.6": 0.6, "1.0": 1.0, "1.5": 1.5}
ROAD_SEED, DRIVE_STEPS = 1003, 300


@functools.cache
def recorded_drive(kind, noise):
    """A recorded ``Circuit``, and the ``Drive`` of half a minute with it.

    Args:
        kind: one of ``circuits.CIRCUITS``.
        noise: standard deviation of the camera's noise.
    """
    circuit = circuits.recorded(kind)
    return circuit, driving.drive(circuit, [ROAD_SEED], steps=DRIVE_STEPS, noise=noise)


def panel():
    """Let a circuit drive: press play, and watch the road, what the camera sees, and which neurons are active."""
    driver = dropdown("driver", DRIVERS.items(), "NCP", width=290)
    noise = dropdown("noise", NOISES.items(), 0.1, width=290)
    moment = slider("moment, in tenths of a second", 60, 0, DRIVE_STEPS - 1, 1, width=DRIVE_STEPS + 60)
    play = ipywidgets.Play(value=60, min=0, max=DRIVE_STEPS - 1, step=2, interval=250, layout={"display": "none"})
    ipywidgets.jslink((play, "value"), (moment, "value"))
    controls = {"moment": moment, "kind": driver, "noise": noise}
    where = ipywidgets.HBox([play, play_button(play), with_text_box(moment)], layout={"flex_flow": "row wrap"})
    return build(controls, picture, ipywidgets.VBox([ipywidgets.HBox([driver, noise]), where]), "moment")


def play_button(play):
    """A button that starts and stops an ``ipywidgets.Play``, whose own buttons have signs and no names."""
    button, is_playing = ipywidgets.Button(description="Play"), playing(play)

    def press(_button):
        if play.value + play.step > play.max:  # at the end it starts over
            play.value = play.min
        setattr(play, is_playing, not getattr(play, is_playing))

    button.on_click(press)
    play.observe(lambda change: setattr(button, "description", "Stop" if change["new"] else "Play"), names=is_playing)
    return button


def picture(moment, kind, noise):
    """One moment of a drive: the road, the camera's line, and the circuit.

    Args:
        moment: step of the drive, in tenths of a second.
        kind, noise: as for :func:`recorded_drive`.
    """
    circuit, drive = recorded_drive(kind, noise)
    fig = Figure(figsize=(7.8, 3.4), facecolor=palette.PAPER)
    road, line, wiring = (
        fig.add_axes(place) for place in ((0.01, 0.2, 0.33, 0.79), (0.03, 0.05, 0.29, 0.07), (0.37, 0.02, 0.62, 0.96))
    )
    offset, heading = drive.offset[0, moment].item(), drive.heading[0, moment].item()
    seen = drive.images[0, moment].numpy()
    plots.view_from_above(road, drive.curvature[0].numpy(), offset, heading, moment)
    plots.camera_line(line, seen, "what the camera sees")
    W, S = circuit.synapses.weight.detach().numpy(), circuit.synapses.mask.numpy()
    columns = {"inter": circuits.INTER, "command": circuits.COMMAND, "motor": circuits.MOTOR}
    plots.circuit(wiring, W, S, columns, inputs=seen, activity=drive.activity[0, moment].numpy())
    left_at = drive.metres[0].item()
    story = "It keeps its lane to the end." if drive.kept[0] else f"It leaves its lane after {left_at:.1f} m."
    words = (
        f"{moment / 10:.1f} s: {abs(offset):.2f} m {'left' if offset > 0 else 'right'} of the middle, steering "
        f"{drive.steering[0, moment].item():+.2f} per metre. {story}"
    )
    return fig, f"A car on a winding road, its camera's line, and the circuit that steers it. {words}", words
