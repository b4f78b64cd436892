"""Exercises of lesson 12: labels of clips run backwards, frames that differ, motion with gaps, decisions, no order.

Minutes: q1 10, q2 5, q3 10, q4 10, q5 5.
"""

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def reversed_labels(names, opposites):
    """For each class the index of the class that its clips show when they run backwards, `(classes,)` int."""
    partners = opposites | {other: word for word, other in opposites.items()}
    turned = [" ".join(partners.get(word, word) for word in name.split()) for name in names]
    return np.array([names.index(name) for name in turned])


_OPPOSITES = {"left": "right", "up": "down", "clockwise": "counterclockwise", "opens": "closes", "grows": "shrinks"}
_FAMILIES = (
    ("moves left", "moves right"), ("moves up", "moves down"), ("turns clockwise", "turns counterclockwise"),
    ("moves left and grows", "moves left and shrinks", "moves right and grows", "moves right and shrinks"),
    ("opens", "closes"), ("sways",), ("bounces",),
)  # fmt: skip


def _draw_names(rng):
    """Draw classes of three families in any order: with each class the one that it is backwards."""
    families = [_FAMILIES[place] for place in rng.choice(len(_FAMILIES), size=3, replace=False)]
    names = [name for family in families for name in family]
    return [names[place] for place in rng.permutation(len(names))], dict(_OPPOSITES)


def _by_name(turn):
    """An answer that looks up `turn(name, opposites)` for every class."""
    return lambda names, opposites: np.array([names.index(turn(name, opposites)) for name in names])


def _one_way(name, opposites):
    return " ".join(opposites.get(word, word) for word in name.split())


def _to_and_fro(name, opposites):
    for word, other in opposites.items():
        name = name.replace(word, other).replace(other, word)
    return name


def _in_pieces(name, opposites):
    for word, other in opposites.items():
        name = name.replace(word, "?").replace(other, word).replace("?", other)
    return name


def _first_fact(name, opposites):
    first, *rest = name.split(" and ")
    partners = opposites | {other: word for word, other in opposites.items()}
    return " and ".join([_one_way(first, partners), *rest])


def _without_own(names, opposites):
    found = reversed_labels(names, opposites)
    return np.where(found == np.arange(len(names)), -1, found)


q1 = Exercise(
    asks="Write `reversed_labels(names, opposites)`: for each class the index of the class that its clips show when "
    "they run backwards, `(classes,)` int. `names` is the list of the classes, `opposites` a dict that holds each pair "
    "of opposite words once, such as 'left': 'right'. A class without such a word is its own reverse.",
    starter="def reversed_labels(names, opposites): ...",
    reference=reversed_labels,
    draw=_draw_names,
    mistakes=(
        Mistake(
            lambda names, opposites: np.arange(len(names)),
            "every clip keeps its label. What moves left moves right when it runs backwards: such clips would teach "
            "the network that order does not matter.",
        ),
        Mistake(
            _by_name(_one_way),
            "the dict holds each pair once, and you looked it up in one direction: what moves right stayed right.",
        ),
        Mistake(
            _by_name(_to_and_fro),
            "the second replacement undid the first: left became right, and at once left again. Exchange in one step.",
        ),
        Mistake(
            _by_name(_in_pieces),
            "pieces of words were replaced: 'clockwise' is one of 'counterclockwise'. Compare words, `name.split()`.",
        ),
        Mistake(
            _by_name(_first_fact),
            "of two facts only the first was turned. What moves left and grows moves right and SHRINKS.",
        ),
        Mistake(
            _without_own,
            "what sways still sways when it runs backwards: its clips are good examples of it, and -1 would say that "
            "they are the last class.",
        ),
    ),
    hints=(
        "Which words of a name does time turn round? Exchange them one by one, then look for the new name in the list.",
        "`partners = opposites | {other: word for word, other in opposites.items()}` knows both directions; "
        "`partners.get(word, word)` leaves other words as they are.",
    ),
    why="With `reverse = reversed_labels(…)`, the clips `clips[:, ::-1]` with the labels `reverse[labels]` are as many "
    "true examples again. An augmentation is a claim about the world: where nobody can make it, leave it out.",
)


def frame_differences(clips):
    """How each frame differs from the one before it, the first by 0; clips are `(batch, time, height, width, …)`."""
    return np.diff(clips.astype("float32"), axis=1, prepend=clips[:, :1])


def _draw_clips(rng):
    """Draw uint8 clips `(batch, time, height, width, 1)`."""
    return (rng.integers(256, size=(2, rng.integers(3, 6), 2, 3, 1), dtype=np.uint8),)


def _in_floats(answer):
    """An answer that no longer computes in bytes."""
    return lambda clips: answer(clips.astype(float))


q2 = Exercise(
    asks="Write `frame_differences(clips)`: how each frame differs from the one before it, as float. `clips` is uint8, "
    "`(batch, time, height, width, channels)`, and the result has the same shape. What has become darker is negative; "
    "the first frame has none before it and gets 0.",
    starter="def frame_differences(clips): ...",
    reference=frame_differences,
    draw=_draw_clips,
    mistakes=(
        Mistake(
            lambda clips: np.diff(clips, axis=1, prepend=clips[:, :1]),
            "you subtracted bytes, which know no negative numbers: 10 - 20 is 246, so that every pixel that got a "
            "little darker shines. Convert first, then subtract.",
        ),
        Mistake(
            _in_floats(lambda clips: np.diff(clips, axis=1)),
            "a frame is missing: between n frames lie n - 1 differences. With 0 in front, time t is still frame t.",
        ),
        Mistake(
            _in_floats(lambda clips: np.diff(clips, axis=1, append=clips[:, -1:])),
            "each frame was compared with the NEXT one, which a network that watches live does not have yet.",
        ),
        Mistake(
            _in_floats(lambda clips: clips - np.roll(clips, 1, axis=1)),
            "`np.roll` goes round: the first frame was compared with the last.",
        ),
        Mistake(
            _in_floats(lambda clips: np.diff(clips, axis=1, prepend=0)),
            "the first frame was compared with black, as if everything had appeared at once. It gets 0.",
        ),
        Mistake(
            lambda clips: np.abs(frame_differences(clips)),
            "without the sign a picture leaves the same trace where it was as where it is: left and right are alike.",
        ),
    ),
    hints=(
        "What is `np.array([10], 'uint8') - np.array([20], 'uint8')`? And what must stand in front of the differences?",
        "Convert with `clips.astype('float32')`, then `np.diff(…, axis=1, prepend=…)` with the first frame itself.",
    ),
    why="A difference holds what a pair of frames knows about motion, before any network looks: what stands still is "
    "gone. Noise is not: its standard deviation grows by the root of 2. Arrays of uint8 wrap round without a warning, "
    "and a network trains on such pictures without complaint.",
)


def motion(poses, real):
    """How far each joint moved since the frame before, where both frames are real, else 0; shaped like the poses."""
    moved = np.diff(poses, axis=1)  # (batch, time - 1, joints, 2)
    both = real[:, 1:] & real[:, :-1]
    return np.pad(np.where(both[..., None, None], moved, 0), [(0, 0), (1, 0), (0, 0), (0, 0)])


def _draw_poses(rng):
    """Draw poses `(batch, time, joints, 2)` of which some frames are not real: a gap, padding behind and before."""
    time = int(rng.integers(6, 9))
    real = np.ones((3, time), bool)
    gap = rng.integers(2, time - 2)
    real[0, gap : gap + rng.integers(1, 3)] = False
    real[1, time - rng.integers(1, 3) :] = False
    real[2, : rng.integers(1, 3)] = False
    poses = rng.normal(size=(3, time, 2, 2)) + 5
    poses[~real] = rng.choice([0, np.nan])
    return poses, real


def _ways(keep):
    """An answer that reduces the ways between frames by `keep(ways, real now, real before)`."""

    def answer(poses, real):
        kept = keep(np.diff(poses, axis=1), real[:, 1:, None, None], real[:, :-1, None, None])
        return np.pad(kept, [(0, 0), (1, 0), (0, 0), (0, 0)])

    return answer


def _over_gaps(poses, real):
    moved = np.zeros_like(poses)
    for row, clip, known in zip(moved, poses, real, strict=True):
        places = np.flatnonzero(known)
        row[places[1:]] = np.diff(clip[places], axis=0)
    return moved


def _nan_is_left(seen, poses, real):
    """Tell whether a result of the right shape is NaN somewhere, or could not be: there was no NaN to begin with."""
    return np.shape(seen) == poses.shape and (np.isnan(seen).any() or not np.isnan(poses).any())


q3 = Exercise(
    asks="Write `motion(poses, real)`: how far each joint has moved since the frame before. `poses` is "
    "`(batch, time, joints, 2)`, and so is the result; `real` is bool `(batch, time)`. Where the frame or the one "
    "before it is not real, and in the first frame, the motion is 0. Frames that are not real hold zeros or NaN, and "
    "may lie at the end, at the beginning or in the middle.",
    starter="def motion(poses, real): ...",
    reference=motion,
    draw=_draw_poses,
    mistakes=(
        Mistake(
            _ways(lambda ways, now, before: ways),
            "`real` was never asked: where the padding begins, every joint leaps to a place at which nobody is.",
        ),
        Mistake(
            _ways(lambda ways, now, before: np.where(now, ways, 0)),
            "only THIS frame was asked whether it is real: behind a gap all joints leap in from nowhere.",
        ),
        Mistake(
            _ways(lambda ways, now, before: np.where(before, ways, 0)),
            "only the frame BEFORE was asked whether it is real: into a gap all joints leap away.",
        ),
        Mistake(
            _over_gaps,
            "behind a gap you measured from the last real frame: the way of several frames, taken for that of one.",
        ),
        Mistake(
            lambda poses, real: np.where(real, poses, 0),
            "the mask lacks axes: `(batch, time)` was laid against the LAST axes. Give it `[..., None, None]`.",
            when=lambda seen, poses, real: isinstance(seen, ValueError) and "broadcast" in str(seen),
        ),
        Mistake(
            _ways(lambda ways, now, before: ways * (now & before)),
            "NaN is left over: 0 times NaN is NaN, so that a mask cannot be multiplied. `np.where` chooses.",
            when=_nan_is_left,
        ),
    ),
    hints=(
        "A motion has two ends. Which two frames must be real for it?",
        "`both = real[:, 1:] & real[:, :-1]` belongs to the frames from the second on. `np.where(both[..., None, "
        "None], …, 0)` takes the difference or 0; a 0 for the first frame goes in front.",
    ),
    why="Without the mask the largest motion of a clip is the one into its padding, and a network that keeps the "
    "largest values learns how long clips are. Zeros hide such a mistake; a single NaN in a batch makes the loss NaN, "
    "and after one step every weight. To choose (`where`) is safe where to multiply is not.",
)


def decided_at(probabilities, labels):
    """The first frame from which on the right class stays the likeliest, `(batch,)` int; `time` where it never does."""
    right = probabilities.argmax(axis=-1) == labels[:, None]  # (batch, time)
    stays = np.logical_and.accumulate(right[:, ::-1], axis=1)  # from the last frame back, until the first wrong one
    return right.shape[1] - stays.sum(axis=1)


def _draw_answers(rng, classes=4):
    """Draw answers to five clips: right at once, late, on and off, no more, and never."""
    time = int(rng.integers(5, 8))
    frames, turn = np.arange(time), rng.integers(2, time)
    kinds = frames >= 0, frames >= turn, (frames >= turn) | (frames == 0), frames < turn, frames < 0
    right = rng.permutation(kinds)  # (batch, time)
    labels = rng.integers(classes, size=len(right))
    likeliest = (labels[:, None] + np.where(right, 0, rng.integers(1, classes, size=right.shape))) % classes
    falling = -np.sort(-rng.dirichlet(np.ones(classes), size=right.shape))
    rank = (np.arange(classes) - likeliest[..., None]) % classes  # 0 at the likeliest class
    return np.take_along_axis(falling, rank, axis=-1), labels


def _of_right(locate):
    """An answer that makes `(batch,)` of where the right class is the likeliest, `(batch, time)` bool."""
    return lambda probabilities, labels: locate(probabilities.argmax(axis=-1) == labels[:, None])


q4 = Exercise(
    asks="Write `decided_at(probabilities, labels)`: for each clip the first frame, counted from 0, from which on the "
    "right class stays the likeliest until the end. `probabilities` is `(batch, time, classes)`, an answer after each "
    "frame, `labels` int `(batch,)`. Return int `(batch,)`; `time` where the last answer is wrong.",
    starter="def decided_at(probabilities, labels): ...",
    reference=decided_at,
    draw=_draw_answers,
    mistakes=(
        Mistake(
            _of_right(lambda right: right.argmax(axis=1)),
            "that is the first time it was right, and `argmax` says 0 where it never was. Ask from where it STAYS so.",
        ),
        Mistake(
            _of_right(lambda right: np.where(right.any(axis=1), right.argmax(axis=1), right.shape[1])),
            "that is the first time it was right. It may have changed its mind: a lucky guess is no decision.",
        ),
        Mistake(
            _of_right(lambda right: (~right).sum(axis=1)),
            "all wrong frames were counted, wherever they are; who is right early and wrong at the end never decides.",
        ),
        Mistake(
            lambda probabilities, labels: decided_at(probabilities, probabilities[:, -1].argmax(axis=-1)),
            "that is when the network made up its mind, rightly or wrongly; `labels` was never asked.",
        ),
        Mistake(
            lambda probabilities, labels: decided_at(np.insert(probabilities, 4, 0.5, axis=-1), labels),
            "you asked for more than one half; of several classes the likeliest may have less, and is the answer.",
        ),
        Mistake(
            lambda probabilities, labels: decided_at(probabilities, labels) % probabilities.shape[1],
            "where it is wrong at the end you say 0: in a mean, the failures would count as the fastest. Say `time`.",
        ),
        Mistake(
            lambda probabilities, labels: decided_at(probabilities, labels) - 1,
            "that is the last frame at which it was wrong; the decision comes one later.",
        ),
    ),
    hints=(
        "Begin at the END of a clip. How far back can you go until an answer is wrong?",
        "`right = probabilities.argmax(axis=-1) == labels[:, None]`. Read backwards, `np.logical_and.accumulate(…, "
        "axis=1)` is True until the first wrong one; count what is True.",
    ),
    why="Accuracy against frames seen is a mean over clips: it cannot say whether each clip is decided once, or many "
    "waver. This number can. But it looks back from the end, so it says how early the network COULD have answered; at "
    "that moment nobody knows that it will stay so. To stop early takes a rule that sees the past alone.",
)


def shares():
    """The share of three motions, and of the eight of two facts, that one names without knowing what came first."""
    three = (1 + 2 / 2) / 3  # swaying is the same either way; left and right are each other's reverse: a coin
    eight = 8 / 2 / 8  # both facts turn round together: one coin decides, not two
    return three, eight


q5 = Exercise(
    asks="Predict `shares`: somebody gets the frames of a clip as loose prints, mixed up. From what is alike they "
    "always restore the row, but no print says which end came first. At best, which share of the clips, from 0 to 1, "
    "do they name rightly: of three motions (left, right, swaying), and of the eight of two facts (left, right, up or "
    "down, and growing or shrinking)? All motions are equally frequent. Give a tuple: (of the three, of the eight).",
    starter="shares = ...",
    reference=shares,
    tolerance=0.001,
    mistakes=(
        Mistake(
            (1 / 3, 1 / 8),
            "that is chance, all that ONE frame gives. The prints together show along which line it moved.",
        ),
        Mistake((1.0, 1.0), "a row can be read from both ends: what moves left and what moves right look alike in it."),
        Mistake((0.5, 0.5), "what sways does so from either end, and is named for sure."),
        Mistake(
            (2 / 3, 0.25),
            "the two facts are not two coins. The larger prints lie toward one side: what moves left and grows moves "
            "right and shrinks when it is read the other way, and nothing else fits.",
        ),
        Mistake(
            (5 / 6, 0.75),
            "the row is right in half of the clips and you let them guess in the other half. Nobody tells them which "
            "half it is: the guess IS the choice of an end.",
        ),
    ),
    hints=(
        "What does each motion become if the row is read from the other end? How many become themselves?",
        "Where a motion becomes another one, a fair coin decides between exactly two. With two facts: can one of them "
        "be read in one direction and the other in the other?",
    ),
    why="Running backwards leaves the SET of frames as it is: a model that forgets the order, be it a mean of what "
    "single frames vote or features that meet after all frames, cannot tell a motion from its reverse, however large "
    "it is. That ceiling, not chance, is what a network that knows the order must break through. The direction of time "
    "is all it takes: one bit.",
)
