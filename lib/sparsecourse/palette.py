"""The course's colours and markers, named in one place. Safe for colour-blind readers; readable in grey."""

from matplotlib.colors import LinearSegmentedColormap

# Okabe and Ito's colours
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
OLIVE, WINE = "#999933", "#882255"  # two of Paul Tol's, for methods that came later
INK = "#222222"  # text and outlines
QUIET = "#6b6b6b"  # secondary text; 5:1 against white
FAINT = "#dcdcdc"  # grid lines, the frame of a cut entry
PAPER = "#ffffff"

# Weights: blue is negative, orange positive. The middle is grey, not white: a kept weight near zero can be seen, and an
# empty white cell can only be a cut one.
WEIGHTS = LinearSegmentedColormap.from_list("weights", ["#08519c", "#6baed6", "#c9c9c9", "#fd8d3c", "#a63603"])

# Each method keeps its colour and marker through the whole course.
METHOD_STYLES = {
    "dense": (BLACK, "o"),
    "L1": (PURPLE, "s"),
    "one-shot": (ORANGE, "v"),
    "gradual": (VERMILION, "^"),
    "random": (SKY, "D"),
    "local": (GREEN, "P"),
    "iterative": (BLUE, "X"),
    "SNIP": (QUIET, "d"),
    "SET": (OLIVE, "<"),
    "RigL": (WINE, ">"),
}

# Ways to store a sparse matrix and to multiply with it.
LAYOUT_STYLES = {
    "dense": (BLACK, "o"),
    "masked": (PURPLE, "s"),
    "csr": (BLUE, "^"),
    "csr int64": (SKY, "v"),
    "coo": (VERMILION, "X"),
    "bsr": (GREEN, "P"),
}

# Each neuron type keeps its colour, its marker and its place: sensory left, motor right.
NEURON_STYLES = {
    "sensory": (GREEN, "^"),
    "inter": (BLUE, "o"),
    "motor": (VERMILION, "s"),
    "pharyngeal": (PURPLE, "D"),
    "unknown": (QUIET, "x"),
}
