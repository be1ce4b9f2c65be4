"""Exercise of lesson 00."""

from sparsecourse.exercises.checking import Exercise, Mistake

EXERCISES = [
    Exercise(
        number="0.1",
        answer="weights_left",
        reference=lambda weights, cut: weights - cut,
        cases=((10, 4), (102, 51), (266_200, 242_000), (5, 0), (7, 7)),
        mistakes=(
            Mistake(lambda weights, cut: cut, "That is how many were cut. How many are left?"),
            Mistake(
                lambda weights, cut: cut - weights,
                "The sign is reversed: start from all the weights and take the cut ones away.",
            ),
            Mistake(
                lambda weights, cut: weights * (1 - cut / 100),
                "You took `cut` for a percentage. It is a number of weights.",
            ),
            Mistake(
                lambda weights, cut: 1 - cut / weights,
                "That is the fraction left. The question asks for a number of weights.",
            ),
            Mistake(lambda weights, cut: round(weights * (1 - cut)), "`cut` is a number of weights, not a fraction."),
        ),
    ),
]
