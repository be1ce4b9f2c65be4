"""Questions of the self-test: two a lesson, in situations that no lesson shows."""

import numpy as np

from sparsecourse.exercises.checking import Exercise, Mistake

LETTERS = "abcd"


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
        return None if abs(found - right) <= within + 1e-9 * abs(right) else f"is {found:g}."

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


def _forward(W, S, b, X):
    return X @ (W * S).T + b


def _sparse_layer(n_out, n_in, examples, seed):
    """Cases of 12.20: weights, a mask, biases and a batch."""
    rng = np.random.default_rng(seed)
    S = (rng.random((n_out, n_in)) < 0.5).astype(int)
    S[0, 0], S[-1, -1] = 0, 1
    return rng.normal(size=(n_out, n_in)), S, rng.normal(size=n_out), rng.normal(size=(examples, n_in))


EXERCISES = [
    _number(
        "12.1",
        "00 · A taste: a network that thins out",
        4,
        "99 % of 360 weights are 356.4. A weight is cut or it stays, so 356 go and 4 stay: in truth 98.9 %.",
        {
            3.6: "No weight can be cut in part: the sparsity that comes out is not quite the one that was asked for.",
            3: "356.4 weights would have to go. The nearest number that can go is 356.",
            356: "That many are cut. How many stay?",
            36: "That is what 90 % leaves. Here 99 % are cut.",
            19: "Those are biases, one for each unit. The question is about weights.",
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
        "01 · What does a network cost?",
        65,
        "A weight for each pair, 5 × 12, and a bias for each of the 5 outputs.",
        {
            60: "Those are the weights. Each output has a bias too.",
            72: "A bias belongs to an output, not to an input.",
            61: "Each output has a bias of its own: five, not one.",
            17: "Those are the units. A weight stands between each input and each output: multiply.",
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
        "02 · Over which tensors?",
        9505 / 10_100,
        "9,505 of 10,100 weights are zero. The small layer hardly counts.",
        {
            0.5: "That is the mean of two sparsities. The layers have different sizes: count zeros, and divide by all.",
            595 / 10_100: "That is the part that is kept. Sparsity is the part that is zero.",
            0.95: "That is the large layer alone. The small one belongs to the network too.",
        },
        within=0.0006,
    ),
    _number(
        "12.6",
        "02 · Cut or kept?",
        87.5,
        "One in eight stays, so seven in eight are cut.",
        {
            12.5: "That many per cent stay. The question asks for those that are cut.",
            80: "80 % leaves one in five: a factor of 5.",
            0.875: "The question asks for per cent.",
            8: "A factor of 8 leaves an eighth, not 8 %.",
        },
        within=0.05,
    ),
    _choice(
        "12.7",
        "03 · The computer multiplies zeros too",
        "b",
        "A product that is told nothing of the zeros multiplies them like any other number.",
        a="The zeros are really there, and a product that skipped them would have far less to do.",
        c="How many weights are left and how fast it runs are two things: see what the product does with a zero.",
        d="Training has nothing to do with it: the time is taken when the network is used.",
    ),
    _table(
        "12.8",
        "03 · What is not connected can't matter",
        [2, 3],
        "Inputs 2 and 3 reach hidden unit 1 alone, and no output hears that unit.",
        (
            ([], "Each input reaches a hidden unit. Go on: does an output hear that unit?"),
            ([1], "That is the hidden unit that no output hears. Which inputs reach only this one?"),
            ([0, 1], "Those two do reach an output: follow them through the units 0 and 2."),
            ([3, 4], "Count from 0, as the course does."),
        ),
    ),
    _number(
        "12.9",
        "04 · What do the tables say?",
        0.75,
        "Three of twelve pairs are connected, by however many synapses.",
        {
            1 - 8 / 12: "You counted synapses. Three pairs are connected, some by several synapses.",
            1 - 3 / 16: "A neuron does not connect to itself here: 4 × 3 pairs, not 4 × 4.",
            0.25: "That is the part that is there. Sparsity is the part that is not.",
            1 - 8 / 16: "You counted synapses. Three pairs are connected; and there are 4 × 3 pairs.",
            0.5: "A connection from A to B and one from B to A are two: there are 4 × 3 pairs.",
        },
        within=0.0006,
    ),
    _choice(
        "12.10",
        "04 · Are hubs chance?",
        "b",
        "Whoever has many partners meets other hubs more often by chance alone. This null keeps each neuron's number.",
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
        "05 · A step that misses, and a step that lands",
        "d",
        "Such steps jump over zero and back. What was priced out lies near it: look there, or take a proximal step.",
        a="The price works. Look at how large the weights are, not only at which are exactly zero.",
        b="A higher price makes the jumps around zero larger; they still don't land.",
        c="More steps of this kind jump more often. None of them lands on zero.",
    ),
    _table(
        "12.13",
        "06 · Which weights can go?",
        [[0, 1, 1], [1, 0, 0]],
        "The three largest magnitudes are 2, 1.5 and 0.3.",
        (
            ([[1, 0, 1], [1, 0, 0]], "You kept the largest numbers. A weight of -2 does more than one of 0.1."),
            ([[1, 0, 0], [0, 1, 1]], "That mask is the other way round: 1 keeps, 0 cuts."),
            ([[0, 1, 0], [1, 0, 0]], "Half of six are three: one more stays."),
            ([[0, 1, 0], [1, 1, 0]], "0.3 is larger than 0.2, and should stay in its place."),
            ([[0, -2, 0.3], [1.5, 0, 0]], "Those are the weights that stay. A mask holds 0 and 1."),
        ),
    ),
    _number(
        "12.14",
        "06 · Little by little",
        20,
        "The first call leaves 40 %, the second takes half of what is left.",
        {
            -10: "The second call cuts half of what is left, not half of all.",
            50: "The first cut stays: the second takes its half from what is left.",
            40: "That is what the first call leaves. The second cuts again.",
            80: "That many are cut. How many are left?",
            30: "60 % and 50 % don't add up that way: 40 % is left, and half of it goes.",
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
        "07 · Where: neighbours",
        "c",
        "Only the windows rely on what lies side by side. To the other two, one order is as good as another.",
        a="A dense network hears all inputs. It learns the other order as easily as the first.",
        b="A random mask never knew which inputs were neighbours.",
        d="One of them was built for neighbours, and after the shuffle they no longer belong together.",
    ),
    _choice(
        "12.17",
        "08 · More seeds, a wider network",
        "b",
        "The interval reaches from about -0.01 to +0.03: with these five seeds, either sign is possible.",
        a="The mean is above zero. But with this spread over five seeds, chance alone could do it.",
        c="Not to see a difference is not to see that there is none: the interval reaches to three points.",
        d="The sign of the mean speaks for A, if for anyone.",
    ),
    _number(
        "12.18",
        "08 · The other fair question",
        20,
        "A tenth of 22,000 weights are 2,200, and each hidden unit of a narrow network has 100 + 10 of them.",
        {
            200: "That is the width of the sparse network. With as few weights, a dense one must be narrower.",
            22: "You counted the inputs alone. A hidden unit also has 10 weights to the outputs.",
            2200: "That is the number of weights. How many hidden units do they make?",
            180: "That takes nine tenths. A tenth of the weights is to be kept.",
        },
    ),
    _choice(
        "12.19",
        "09 · Behind the mask",
        "b",
        "The gradient of a masked weight is zero, but decay shrinks W itself, so it comes back smaller.",
        a="The gradient leaves it alone. The decay, which the optimiser applies to W, does not.",
        c="A mask multiplies. It writes no zero into W.",
        d="Behind the mask no gradient arrived, so it learned nothing.",
    ),
    Exercise(
        number="12.20",
        answer="forward",
        reference=_forward,
        cases=(_sparse_layer(2, 3, 1, 0), _sparse_layer(3, 3, 3, 1), _sparse_layer(4, 2, 5, 2)),
        mistakes=(
            Mistake(lambda W, S, b, X: X @ W.T + b, "The mask is missing: that is the dense layer."),
            Mistake(
                lambda W, S, b, X: (W * S) @ X.T + b[:, None],
                "Examples stand in rows, and come out in rows: X @ (W * S).T.",
            ),
            Mistake(lambda W, S, b, X: X @ (W * S).T, "The bias is missing."),
            Mistake(
                lambda W, S, b, X: X @ (W @ S.T).T + b,
                "The mask multiplies entry by entry, with `*`. `@` is a matrix product.",
            ),
            Mistake(lambda W, S, b, X: X @ (W * (1 - S)).T + b, "The mask is the other way round: 1 keeps, 0 cuts."),
            Mistake(
                lambda W, S, b, X: (X @ W.T + b) * S.any(axis=1),
                "That cuts outputs. A mask cuts single weights, before they meet the inputs.",
            ),
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
        "10 · Where the lines cross",
        95,
        "At 90 % it is slower than dense, at 95 % already faster.",
        {
            99: "It is faster there. But there is a lower sparsity in the table at which it is faster, too.",
            90: "There CSR takes longer than dense.",
            80: "There CSR takes three times as long as dense.",
            0.95: "The question asks for per cent.",
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
    _choice(
        "12.24",
        "11 · Who drives best?",
        "b",
        "The loss is taken on the expert's road. To find back to it, once off, is what the loss never sees.",
        a="A lower loss on the expert's road says little of what happens once the car is off it.",
        c="They were measured, in the second row: with the network itself at the wheel.",
        d="The rows measure two things, and the purpose is to drive: the second counts.",
    ),
]
