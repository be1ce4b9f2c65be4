"""Questions of the self-test: two a lesson, in situations that no lesson shows."""

import numpy as np

from sparsecourse.exercises.checking import Exercise, Mistake

LETTERS = "abcd"
SHORT_FORM = ("12.5", "12.8", "12.12", "12.13", "12.16", "12.19")  # one for each big idea, each of one minute


def _choice(number, section, right, why, **wrong):
    """A question with four answers to choose from.

    Args:
        number: its number.
        section: lesson and heading that teach it.
        right: the letter of the right answer.
        why: why it is right.
        wrong: what to say to each of the other letters.
    """

    def judge(result):
        letter = str(result).strip().lower()
        if letter == right:
            return None
        return f"is {letter!r}." if letter in wrong else 'needs one of the letters "a", "b", "c" and "d".'

    mistakes = tuple(Mistake(letter, sentence) for letter, sentence in wrong.items())
    return Exercise(number, "answer", right, ((),), mistakes, judge, lambda _: why, section=section)


def _number(number, section, right, why, wrong, within=0.0):
    """A question whose answer is a number.

    Args:
        number: its number.
        section: lesson and heading that teach it.
        right: the number.
        why: how one gets there.
        wrong: {number: what to say to it}.
        within: how far off an answer may be.
    """

    def judge(result):
        found = float(np.asarray(result))
        return None if abs(found - right) <= within + 1e-6 * abs(right) else f"is {found:g}."

    mistakes = tuple(Mistake(value, sentence) for value, sentence in wrong.items())
    return Exercise(number, "answer", right, ((),), mistakes, judge, lambda _: why, section=section)


def _table(number, section, right, why, wrong):
    """A question whose answer is a list or a mask.

    Args:
        number: its number.
        section: lesson and heading that teach it.
        right: the answer.
        why: how one gets there.
        wrong: pairs of a wrong answer and what to say to it.
    """

    def judge(result):
        found = np.asarray(result, dtype=float)
        if found.shape != np.shape(right):
            return f"has the shape {found.shape}, expected {np.shape(right)}."
        return None if np.allclose(found, right) else f"is {found.tolist()}."

    mistakes = tuple(Mistake(value, sentence) for value, sentence in wrong)
    return Exercise(number, "answer", right, ((),), mistakes, judge, lambda _: why, section=section)


def _hears(W, j):
    return np.flatnonzero(W[:, j])


def _columns_of(W):
    """Cases of 12.4: each input of a matrix."""
    return tuple((W, j) for j in range(W.shape[1]))


def _step(W, S, G, rate):
    return W - rate * G * S


def _weights(n_out, n_in, rate, seed):
    """Cases of 12.20: weights, a mask, a gradient and a learning rate."""
    rng = np.random.default_rng(seed)
    S = (rng.random((n_out, n_in)) < 0.5).astype(int)
    S[0, 0], S[-1, -1] = 0, 1
    return rng.normal(size=(n_out, n_in)), S, rng.normal(size=(n_out, n_in)), rate


EXERCISES = [
    _number(
        "12.1",
        "00 · A taste: a network that thins out",
        8,
        "6 · 4 + 4 · 2 are 32 lines, and a quarter of them stays.",
        {
            24: "That many are cut. How many are left?",
            3: "Those are units. A line leads from each unit to each one of the next column: multiply.",
            12: "Multiply neighbours, then add: 6 · 4 lines, and 4 · 2 lines.",
            32: "That is the network before the cut.",
        },
    ),
    _choice(
        "12.2",
        "00 · A taste: a network that thins out",
        "c",
        "With no input left, only its bias is left, so it says the same whatever comes in.",
        a="Its lines to the right are still there, and they carry what the unit gives.",
        b="What it gave came from inputs, and none reaches it any more.",
        d="Nothing is random once the weights are there: the same input gives the same output.",
    ),
    _number(
        "12.3",
        "01 · A batch is X Wᵀ",
        5,
        "The shape is (5, 12): a row for each output, a column for each input.",
        {
            12: "`nn.Linear` is given inputs, then outputs; its matrix has outputs first, a row for each.",
            60: "That is how many weights there are. How many rows has the matrix?",
            13: "The biases stand apart, not in the matrix.",
            6: "A bias is no row of the matrix: biases are kept apart.",
        },
    ),
    Exercise(
        number="12.4",
        answer="hears",
        reference=_hears,
        cases=(
            *_columns_of(np.array([[0.0, 2.0], [1.0, 0.0], [0.0, -1.0]])),
            *_columns_of(np.array([[0.0, 0.5, 0.0, 0.0], [-3.0, 0.0, 0.0, 1.0], [0.0, 0.25, 0.0, 2.0]])),
            *_columns_of(np.eye(3) - np.eye(3)[::-1]),
        ),
        mistakes=(
            Mistake(
                lambda W, j: np.flatnonzero(W[j % len(W)]),
                "You took a row. A row belongs to an output; what leaves an input stands in its column.",
            ),
            Mistake(
                lambda W, j: np.flatnonzero(W[:, j] == 0),
                "Those are the outputs that don't hear it. A zero is a line that is not there.",
            ),
            Mistake(
                lambda W, j: np.flatnonzero(W[:, j] > 0),
                "A negative weight is a connection too.",
            ),
            Mistake(
                lambda W, j: W[:, j][W[:, j] != 0],
                "Those are the weights. The question asks for the numbers of the outputs.",
            ),
            Mistake(
                lambda W, j: (W[:, j] != 0).astype(int),
                "That says yes or no for each output. The question asks for the numbers of those that hear it.",
            ),
        ),
        section="01 · From the diagram back to the matrix",
    ),
    _number(
        "12.5",
        "02 · Cut or kept?",
        0.3,
        "Three of ten entries are exactly zero. The two tiny ones are weights like others.",
        {
            0.5: "You counted the tiny weights too. Only an exact zero is a zero.",
            0.7: "That is the part that is kept. Sparsity is the part that is zero.",
            3: "Three are zero. The question asks for the part of all ten.",
            30: "As a fraction it lies between 0 and 1.",
        },
    ),
    _number(
        "12.6",
        "02 · Over which tensors?",
        10 / 3,
        "A half and a tenth are kept, on average three tenths: 1 / 0.3.",
        {
            6: "That is the mean of 2 and 10. Count what is kept: a half of one layer, a tenth of the other.",
            12: "Factors of two layers don't add up. Count what is kept in each.",
            20: "That would be one cut after the other in the same layer. These are two layers.",
            0.3: "That is the part that is kept. By what factor is the network smaller?",
            70: "That many per cent are cut. By what factor is the network smaller?",
        },
        within=0.05,
    ),
    _table(
        "12.7",
        "03 · Storing a matrix without its zeros",
        [0, 5, 0, 0, 1, 0],
        "Row 1 owns the places 0 and 1: 5 in column 1 and 1 in column 4.",
        (
            ([0, 0, 0, 0, 1, 0], "See `starts`: row 1 begins at place 0, and ends before place 2."),
            ([0, 0, 0, 0, 0, 0], "That is row 0: it begins and ends at place 0. Rows are counted from 0."),
            ([7, 0, 0, 0, 0, 0], "That is row 2, the last one. Rows are counted from 0."),
            ([0, 5, 0, 0, 0, 0], "Row 1 goes on to the place before the next row's start: two weights."),
            ([5, 0, 0, 1, 0, 0], "Columns are counted from 0."),
        ),
    ),
    _choice(
        "12.8",
        "03 · Fewer connections, fewer ways to be wrong",
        "b",
        "Zeros in random places cut off useful inputs as readily as useless ones.",
        a="There are fewer ways to be wrong, and fewer to be right: most units no longer hear what matters.",
        c="That one has as many weights, but in the right places.",
        d="It learns its few examples by heart as well. What counts is what it does on new ones.",
    ),
    _number(
        "12.9",
        "04 · One number, or several?",
        4,
        "A gap junction conducts both ways, so each of the two joins stands in the matrix twice.",
        {
            2: "Current passes both ways: each join has two entries, one for each direction.",
            3: "The sections make an entry larger, not more of them. And each join has two entries.",
            6: "Sections are no connections: they make an entry larger. Two joins, two entries each.",
            9: "A and C are not joined, and no neuron is joined to itself here.",
        },
    ),
    _choice(
        "12.10",
        "04 · Are hubs chance?",
        "b",
        "A neuron with many partners meets hubs more often by chance alone. This null model keeps each one's number.",
        a="In such a graph there are no hubs, so any graph with hubs would look special.",
        c="Other names change nothing: it is the same graph, and hubs are where they were.",
        d="Nothing can be compared with a graph of another size: it has other numbers of everything.",
    ),
    _table(
        "12.11",
        "05 · A step that misses, and a step that lands",
        [0.5, -0.1, 0.0],
        "Each weight moves by 0.2 towards zero, and what would cross it stays there.",
        (
            ([0.7, -0.3, 0.0], "You cut what is small and left the rest. L1 takes the same from each weight."),
            ([0.5, -0.5, -0.15], "You took 0.2 from each. A negative weight moves towards zero, so up."),
            ([0.5, -0.1, -0.15], "The last weight has crossed zero. It stops there."),
            ([0.5, -0.1, 0.15], "The last weight pays too: it moves by 0.2 towards zero, and stops when it is there."),
            ([0.5, 0.1, 0.0], "The sign got lost: a negative weight stays negative until it is zero."),
            ([0.9, -0.5, 0.25], "That moves away from zero. The price pulls towards it."),
        ),
    ),
    _choice(
        "12.12",
        "05 · A price on every weight",
        "c",
        "The price grows by λ for each step away from zero, wherever the weight is.",
        a="A larger weight costs more, but a step back saves the same. With squares it would save more.",
        b="A step towards zero saves the same everywhere.",
        d="What the examples want comes on top. The price itself does not know them.",
    ),
    _number(
        "12.13",
        "06 · Little by little",
        70,
        "What is still to be cut falls with the cube of the time that is left: 80 · (1 − 0.5³).",
        {
            40: "That would be a straight line. The cubic schedule cuts most at the beginning.",
            10: "That much is still to be cut. How much is cut?",
            80: "That is the end. Half of the time is still to come.",
            60: "That falls with the square of the time that is left. The course's schedule is cubic.",
        },
        within=0.5,
    ),
    _number(
        "12.14",
        "06 · `torch.nn.utils.prune`, as it is",
        80,
        "The first call leaves 40 %, and the second takes half of what is left.",
        {
            50: "The second call does not undo the first. It cuts half of what that left.",
            60: "The second call cuts too: half of what the first one left.",
            100: "Amounts don't add up: the second is a part of what is left.",
            110: "Amounts don't add up: the second is a part of what is left, and more than all can't be zero.",
            20: "That many are left. How many are zero?",
        },
        within=0.05,
    ),
    _number(
        "12.15",
        "07 · First weights for a sparse layer",
        4,
        "A sum of 25 terms in place of 400 has a sixteenth of the variance, so weights grow by the root of 16.",
        {
            16: "That is the ratio of the numbers of inputs. Variances add up, so its root is needed.",
            0.25: "That shrinks them further. With fewer inputs the sum is too small already.",
            1: "With a sixteenth of its inputs, the sum would be a quarter as large as before.",
            2: "400 / 25 = 16, and its root is 4.",
        },
    ),
    _choice(
        "12.16",
        "07 · The worm's wiring as a mask",
        "c",
        "Then both masks have the same busy units and idle ones. What differs is who is wired to whom.",
        a="A dense network says whether to be sparse helps, not whether this pattern does.",
        b="It beat such masks already. They differ in two ways: who is wired to whom, and how busy each unit is.",
        d="Another animal's wiring has another size and other numbers of everything.",
    ),
    _number(
        "12.17",
        "08 · Seven ways, ten seeds",
        -0.0149,
        "0.010 − 2.78 · 0.020 / √5. The interval holds zero, so the sign stays open.",
        {
            -0.0456: "The mean of five varies less than one of them: divide the standard deviation by √5.",
            -0.01: "That is the mean less a standard deviation. The reach is t times it, divided by √5.",
            0.0349: "That is where the interval ends.",
            0.0011: "The factor t is missing.",
            0.0249: "That is how far it reaches to each side. Where does it begin?",
        },
        within=0.0006,
    ),
    _number(
        "12.18",
        "08 · The other fair question",
        26,
        "h units in each make h² + 20 h weights, and 26 come nearest to 1,200.",
        {
            10: "That is a tenth of the width. Between hidden layers, weights go with its square.",
            35: "You counted the weights between the hidden layers alone. Inputs and outputs have 20 for each unit.",
            60: "You counted the weights of inputs and outputs alone. Between the hidden layers stand h².",
            100: "That is the width of the sparse network.",
        },
        within=0.5,
    ),
    _choice(
        "12.19",
        "09 · Write it",
        "c",
        "A buffer is saved and moved with the layer, and no optimiser is told of it.",
        a="A plain attribute is neither saved nor moved.",
        b="A parameter is saved and moved, but an optimiser gets it too, and would change it.",
        d="A list is not saved, and can't be moved to a graphics card.",
    ),
    Exercise(
        number="12.20",
        answer="step",
        reference=_step,
        cases=(_weights(2, 3, 0.1, 0), _weights(3, 3, 1.0, 1), _weights(4, 2, 0.5, 2)),
        mistakes=(
            Mistake(lambda W, S, G, rate: W - rate * G, "The weights behind the mask moved: their gradient is zero."),
            Mistake(
                lambda W, S, G, rate: (W - rate * G) * S,
                "The mask stands in the product, not in W: behind it W keeps what it holds.",
            ),
            Mistake(lambda W, S, G, rate: W + rate * G * S, "The step goes down the slope: subtract."),
            Mistake(lambda W, S, G, rate: W - G * S, "The learning rate is missing."),
            Mistake(lambda W, S, G, rate: rate * G * S, "That is the step. Take it from W."),
        ),
        section="09 · One line",
    ),
    _number(
        "12.21",
        "10 · Three ways to store a matrix",
        8404,
        "1,000 values and 1,000 column numbers of 4 bytes, and 101 places where a row begins.",
        {
            4000: "Those are the values alone. Where do they stand?",
            8000: "The places where rows begin are missing: one a row, and one for the end.",
            12_000: "That is COO, with a row number for each weight. CSR only says where each row begins.",
            80_000: "That is the dense matrix, zeros included.",
            8400: "There is one more: where the last row ends.",
            8804: "Rows begin in 101 places. You counted the columns.",
        },
    ),
    _number(
        "12.22",
        "10 · Three ways to store a matrix",
        20_000,
        "4 bytes for the value, and 8 for the row and for the column: PyTorch's COO has no smaller indices.",
        {
            12_000: "PyTorch keeps row and column of COO in 8 bytes each, whatever the values have.",
            4_000: "Those are the values alone. Each also has a row and a column.",
            8_000: "A row and a column belong to each value.",
            16_000: "PyTorch keeps row and column of COO in 8 bytes each.",
        },
    ),
    _number(
        "12.23",
        "11 · Nineteen neurons",
        0.75,
        "Each of the 8 neurons could hear the 10 inputs and the 8 neurons: 144 places, 36 taken.",
        {
            0.25: "That is the part that is there. Sparsity is the part that is not.",
            1 - 36 / 324: "Inputs hear nothing: only the 8 neurons have rows.",
            1 - 36 / 80: "Neurons hear neurons too, not only inputs.",
            1 - 36 / 64: "Neurons hear inputs too, not only each other.",
        },
        within=0.0006,
    ),
    _number(
        "12.24",
        "11 · Your own circuit",
        3,
        "A neuron hears what others said a step before: a step to inter, one to command, one to motor.",
        {
            1: "In the first step only the inter neurons hear the picture. The others hear what neurons said before.",
            2: "By then it has reached the command neurons. The motor neuron hears them in the next step.",
            4: "The inter neurons hear the picture in the first step already.",
        },
    ),
]
