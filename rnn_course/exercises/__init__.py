"""What a learner's answer is checked with: one module per lesson, named like it, with `q1`, `q2`, …

In a lesson: `from rnn_course.exercises import start_here as exercises`, then `exercises.q1.check(answer)`,
`exercises.q1.hint()` and `exercises.q1.solution()`. How to write one stands in `rnn_course.exercises.exercise`.
"""
