# %% [markdown] id="title" tags=["core"]
# # 06 · Weight update and learning rate
#
# **Run all cells first: menu *Run › Run All Cells*.** The pictures then come alive, and nothing you can do here breaks
# anything.
#
# 45 minutes: 15 to read, 10 to predict and try, 20 to do.
#
# After this notebook you can
#
# 1. do one weight update by hand,
# 2. say from the curvature of the loss which learning rates are slow, fast, or too large,
# 3. recognise each of them from the path and from the loss curve,
# 4. keep training stable when the loss is a sum instead of a mean.
#
# A short way through: the cells up to *Exercise 2*. The rest is worth another evening.

# %% [markdown] id="three-questions" tags=["core"]
# ## Three questions to warm up
#
# Answer aloud or on paper, then open the answer. Looking back is what makes it stay.
#
# <details><summary>1. The gradient of the loss at a weight is +12. The weight grows a little. What does the loss do?</summary>
#
# It grows, by about 12 times the change of the weight. The gradient is the *sensitivity* of the loss to that weight.
# </details>
# <details><summary>2. What does Backward change: the weights, the gradients, or both?</summary>
#
# Only the gradients. The weights wait for the update.
# </details>
# <details><summary>3. In which order come Loss, Update, Forward, Backward?</summary>
#
# Forward – Loss – Backward – Update.
# </details>

# %% id="imports" tags=["core"]
import numpy as np

import bplib
from bplib.landscape import descend_rates, surface
from bplib.lessons.glossary import glossary
from bplib.lessons.learning_rate import (
    check,
    edge_of_stability,
    hint,
    ledger,
    predict_fastest,
    predict_sharpness,
    rate_lab,
    solution,
)
from bplib.optim import SGD
from bplib.viz.contours import surface_paths

# %% [markdown] id="one-update" tags=["core", "slide"]
# ## One update by hand
#
# Take the smallest network there is: one weight $w$, no bias, the input $x = 2$ and the target $y = 0$.
# The weight starts at $w = 3$ and the learning rate is $\eta = 0.1$.
#
# | stage | formula | number |
# |---|---|---|
# | **Forward** | <a id="eq-06-forward"></a> $\hat y = w \cdot x$ | $3 \cdot 2 = 6$ |
# | **Loss** | <a id="eq-06-loss"></a> $L = \frac{1}{2}(\hat y - y)^2$ | $\frac{1}{2} \cdot 36 = 18$ |
# | **Backward** | <a id="eq-06-backward"></a> $\partial L / \partial w = (\hat y - y) \cdot x$ | $6 \cdot 2 = 12$ |
# | **Update** | <a id="eq-06-update"></a> $w \leftarrow w - \eta \cdot \partial L / \partial w$ | $3 - 0.1 \cdot 12 = 1.8$ |
#
# $\partial L / \partial w$, spoken "d L by d w", is the gradient: the derivative of $L$ with respect to $w$. The ½ in the loss
# cancels the 2 that comes down from the square. The gradient says *up is this way, and this steep*. The minus sign turns
# round. The **learning rate** $\eta$ ("eta"), in short the *rate*, says how far to go for a gradient of 1.
#
# The next cell does the same with the library, one line a stage. `bplib.tensor` makes numbers that the library keeps
# track of, and `requires_grad=True` asks it to compute a gradient for `w`; after Backward it lies in `w.grad`.

# %% id="one-update-code" tags=["core"]
w = bplib.tensor([3.0], requires_grad=True, name="w")
optimizer = SGD([w], lr=0.1)

prediction = w * 2.0  # Forward
loss = (0.5 * (prediction - 0.0) ** 2).sum()  # Loss
loss.backward()  # Backward
optimizer.step()  # Update

print(f"prediction {prediction.item():g}   loss {loss.item():g}")
print(f"gradient {w.grad[0]:g}   new weight {w.data[0]:g}")

# %% [markdown] id="predict" tags=["core", "slide"]
# ## Predict before you look
#
# The loss above is $\frac{1}{2}(2w)^2 = \frac{1}{2} \cdot 4 \cdot w^2$, and it is smallest at $w = 0$, its **minimum**.
# Repeat the update, now from $w = 1$: this is **gradient descent**. With a good rate the weight comes closer to 0 at every step; how many steps it needs depends on the rate.
# Choose before you touch the slider: people who predict first see more, right or wrong.

# %% id="predict-fastest" tags=["core", "predict", "widget"]
lab = rate_lab()
predict_fastest(lab)

# %% [markdown] id="lab-how" tags=["core"]
# ## The rate lab
#
# The loss is now a bowl over **two** weights, a **loss surface** seen from above: the darker, the higher. Each dot
# is one update. On the right, the same run as curves: how much is left of the loss, and of the distance in each direction. (The two directions
# share the start distance between them, so each begins below 100 %. The steps are counted until both together are at 1 %.)
#
# - Drag the **learning rate**, or click its handle and use the arrow keys.
# - Drag the **start point**, or press *Tab* until it has a ring and use the arrow keys.
# - Choose the **shape of the bowl**: κ ("kappa") is 1 for a round bowl and 100 for a long and narrow one.
# - Choose a **preset**. The line beside it is the code that does the same.
#
# Three goals:
#
# 1. On the round bowl, come within 1 % of the start distance in a single step.
# 2. Find the largest rate that does not run away. How does the loss curve look there?
# 3. Choose κ = 25: the bowl becomes a valley. Can you still get there in one step?

# %% id="rate-lab" tags=["core", "widget"]
lab

# %% [markdown] id="why" tags=["core", "slide"]
# ## Why: every step multiplies
#
# Put the gradient of $L = \frac{1}{2} \lambda w^2$, which is $\lambda w$, into the update:
#
# <a id="eq-06-factor"></a>
# $$w \leftarrow w - \eta \lambda w = (1 - \eta \lambda) \, w \qquad\text{so}\qquad w_k = (1 - \eta\lambda)^k \, w_0$$
#
# Here $w_0$ is the start, and $w_k$ the weight after $k$ steps. $\lambda$ ("lambda") is the **curvature**: how fast the slope
# changes, the second derivative. The loss above is $\frac{1}{2} \cdot 4 \cdot w^2$, so there $\lambda = 4$. The
# **factor** $1 - \eta\lambda$ decides everything:
#
# | rate | factor | what you see |
# |---|---|---|
# | far below $1/\lambda$ | a little below 1 | **slow**: the loss creeps down |
# | nearer to $1/\lambda$ | well between 0 and 1 | **fast** |
# | <a id="eq-06-fastest"></a> $\eta = 1/\lambda$ | 0 | there in **one step** |
# | between $1/\lambda$ and $2/\lambda$ | negative, above −1 | **oscillates**: crosses over and back, still comes closer |
# | <a id="eq-06-limit"></a> $\eta = 2/\lambda$ | −1 | **never settles**: jumps between two points for ever |
# | above $2/\lambda$ | below −1 | **diverges**: every jump is longer |
#
# The cell runs all six rates of the question at once and counts.

# %% id="six-rates" tags=["core"]
rates = [0.03, 0.1, 0.25, 0.45, 0.5, 0.6]
round_bowl = surface("bowl", condition_number=1, curvature=4)
runs = descend_rates(round_bowl, rates, start=(0.0, 1.0), steps=60)

print("rate    factor   steps to 1 %")
for rate, points in zip(rates, runs.points, strict=True):
    near = np.abs(points[:, 1]) <= 0.01
    count = int(near.argmax()) if near.any() else "never" if abs(points[-1, 1]) <= 1 else "diverges"
    print(f"{rate:<7g} {1 - 4 * rate:>6.2f}   {count}")

# %% [markdown] id="two-directions" tags=["core"]
# ## Two directions, one rate
#
# A real loss curves differently in different directions. The bowl below curves with $\lambda = 4$ across the valley and
# with $\lambda = 0.16$ along it: 25 times less. The ratio 25 is the **condition number**, the κ of the lab.
#
# Across the valley, everything above $2/4 = 0.5$ diverges. Along the valley, even 0.5 is small: the factor is
# $1 - 0.5 \cdot 0.16 = 0.92$. After ten steps 43 % of the way along the valley is still left; 1 % takes 56 steps.
# The steepest direction sets the limit, the flattest one pays for it.
#
# So the answer to the third goal is no. With one direction, the fastest rate is $1/\lambda$. In a valley no rate suits
# both directions, and the fastest one lies close to the limit: you **overshoot** (step past the minimum) across the
# valley to get along it.
# Other optimizers find ways round this (notebooks 08 and 09).

# %% id="narrow-bowl" tags=["core"]
narrow_bowl = surface("bowl", condition_number=25, curvature=4)
walks = descend_rates(narrow_bowl, [0.1, 0.45], start=(-2.0, 1.5), steps=20)
surface_paths(narrow_bowl, list(walks.points), ["rate 0.1", "rate 0.45"])

# %% [markdown] id="largest-rate-text" tags=["core"]
# ## Exercise 1: the largest rate
#
# The loss is $L = \frac{1}{2}(3\,w_1^2 + 10\,w_2^2)$. Above which learning rate does plain gradient descent diverge?
#
# Stuck? Run `hint("largest-rate")` in a new cell, more than once if you like. `solution("largest-rate")` shows the way.

# %% id="largest-rate" tags=["core", "task"]
# BEGIN SOLUTION
largest_rate = 2 / 10
# END SOLUTION

# %% id="largest-rate-check" tags=["core", "check"]
check("largest-rate", largest_rate)

# %% [markdown] id="gd-step-text" tags=["core"]
# ## Exercise 2: write the update
#
# Write the function that does one step. It takes the weight (a number or an array), the gradient of the loss with
# respect to it, and the learning rate. It returns the new weight and leaves the old one as it is.

# %% id="gd-step" tags=["core", "task"]
def gd_step(w, gradient, lr):
    # BEGIN SOLUTION
    return w - lr * gradient
    # END SOLUTION

# %% id="gd-step-check" tags=["core", "check"]
check("gd-step", gd_step)

# %% [markdown] id="mean-or-sum" tags=["optional"]
# ## Mean or sum?
#
# A loss over $N$ examples can be their mean or their sum. The sum is $N$ times as large, so is its gradient, and so is
# its curvature. A rate that is right for one is wrong for the other.
#
# The cell takes four steps with the rate 0.07 from $w = 1$ on the loss with curvature 4, and then on a sum of 32 such losses. It prints
# how far the weight is from the minimum after each step.

# %% id="mean-or-sum-steps" tags=["optional"]
for how, times in (("mean", 1), ("sum", 32)):
    weight = bplib.tensor([1.0], requires_grad=True)
    descent = SGD([weight], lr=0.07)
    distances = []
    for _ in range(4):
        total = (times * 0.5 * 4 * weight**2).sum()  # Forward, Loss
        descent.zero_grad()
        total.backward()  # Backward
        descent.step()  # Update
        distances.append(abs(weight.data[0]))
    print(f"{how:<5}", *(f"{distance:>7.4g}" for distance in distances))

# %% [markdown] id="mean-or-sum-why" tags=["optional"]
# With the mean the factor is $1 - 0.07 \cdot 4 = 0.72$: each step comes closer. With the sum the curvature is 32 times as large:
#
# <a id="eq-06-sum"></a>
# $$1 - \eta \cdot 32 \lambda = 1 - 0.07 \cdot 128 = -7.96$$
#
# Each step lands on the other side, eight times as far away. After four of them the distance is 4,000 instead of 1.

# %% [markdown] id="mean-to-sum-text" tags=["optional"]
# ## Exercise 3: from mean to sum
#
# With the mean over 32 examples, the rate 0.32 trains well. A friend's code uses the sum instead. Which rate takes the
# same steps?

# %% id="mean-to-sum" tags=["optional", "task"]
# BEGIN SOLUTION
rate_for_sum = 0.32 / 32
# END SOLUTION

# %% id="mean-to-sum-check" tags=["optional", "check"]
check("mean-to-sum", rate_for_sum)

# %% [markdown] id="six-curves-text" tags=["optional"]
# ## Exercise 4: name the six
#
# Back to the loss with curvature 4 and the six rates of the prediction. Give each rate the word that fits it: `"slow"`,
# `"fast"`, `"one step"`, `"oscillates"`, `"never settles"` or `"diverges"`. Compute the factor first, then check with the
# rate lab. Write the answer as a dictionary, `{0.03: "slow", 0.1: …, …}`.

# %% id="six-curves" tags=["optional", "task"]
# BEGIN SOLUTION
six_curves = {0.03: "slow", 0.1: "fast", 0.25: "one step", 0.45: "oscillates", 0.5: "never settles", 0.6: "diverges"}
# END SOLUTION

# %% id="six-curves-check" tags=["optional", "check"]
check("six-curves", six_curves)

# %% [markdown] id="bigger-rate-text" tags=["optional"]
# ## Exercise 5: in your own words
#
# On the loss with curvature 4, the rate 0.25 needs one step and the bigger rate 0.45 needs 21. Why? Answer in two or three
# sentences, as text between quotation marks. The check shows a model answer beside yours, and you compare.

# %% id="bigger-rate" tags=["optional", "task"]
# BEGIN SOLUTION
bigger_rate = (
    "With the rate 0.45 each step goes past the minimum to the other side. It lands at 80 % of the distance, so "
    "each step gains only 20 %. With 0.25 the step is exactly as long as the distance."
)
# END SOLUTION

# %% id="bigger-rate-check" tags=["optional", "check"]
check("bigger-rate", bigger_rate)

# %% [markdown] id="edge-text" tags=["optional"]
# ## A rising loss is not always a bug
#
# On a bowl the curvature is the same everywhere. The loss surface of a network bends differently at every place, and in as many
# directions as there are weights. The largest of these curvatures, at the place where the weights are now, is called the
# *sharpness*. By the rule above, a small step comes closer in every direction as long as
#
# <a id="eq-06-edge"></a>
# $$\text{sharpness} < \frac{2}{\eta}$$
#
# Beyond that, along the sharpest direction, every step overshoots further than the one before.
#
# A small network, with two layers of 20 hidden units, learns 20 points of a wavy curve. Each step uses all points, so nothing is
# left to chance. Choose before you go on.

# %% id="predict-sharpness" tags=["optional", "predict", "widget"]
predict_sharpness()

# %% [markdown] id="edge-how" tags=["optional"]
# The cell trains the network at three rates, 10,000 steps each, and measures the sharpness every 250 steps. It takes a few seconds.

# %% id="edge" tags=["optional"]
edge = edge_of_stability()
edge.picture()

# %% [markdown] id="edge-why" tags=["optional"]
# Begin with the lower half. At each rate the sharpness rises while the network learns, up to the dashed line at $2/\eta$. Then it
# stays near that line. The smaller the rate, the higher the line, and the later the network gets there.
#
# Now the upper half. When the sharpness comes to its line, the loss shoots up, and a few steps later it is down again. The steps
# overshoot along the sharpest direction, as on the bowl. But this surface is no bowl: where the weights are thrown, it
# bends less, and there the same rate is small enough. So the loss rises on thousands of single steps, and in the end it is less than a tenth of what
# it was.
#
# This is the *edge of stability*. Jeremy Cohen and others described it in 2021 for large networks; the experiment here is a
# small-scale analogue. Even *rounding*, what is lost beyond the 16th digit, grows in it. That is why the digits of such a run differ from one machine to the
# next, and the table says how many of three numbers lie in a band. It also has the other published results of this notebook.

# %% id="ledger" tags=["optional"]
ledger("06")

# %% [markdown] id="edge-you-may-think" tags=["optional"]
# ### You may think …
#
# **"The loss went up, so there is a bug."**
#
# *Try it:* run `edge_of_stability([0.05], steps=5000)` in a new cell, then with `steps=6000`. On how many steps did the loss rise?
#
# *Why it fails:* in the first 5,000 steps on none, in the next 1,000 on more than a hundred, and not a letter of the code has changed. One
# step upward proves nothing. Look at a few hundred steps: does the curve come down again? A loss that goes on rising, or that
# becomes `nan` ("not a number"), is another matter; there the rate is too large, or something is broken.

# %% [markdown] id="you-may-think" tags=["core", "slide"]
# ## You may think …
#
# **"A bigger rate is faster, a smaller one is safer and better."**
#
# *Try it:* set the rate lab to the round bowl and go from 0.1 to 0.25 to 0.45.
#
# *Why it fails:* on this bowl, from 0.1 to 0.25 the bigger rate is faster: 10 steps become 1. From 0.25 to 0.45 the bigger rate is
# slower: 1 step becomes 21, because each step overshoots. And the smallest rate of the six, 0.03, is safe but needs 37.
# Speed and stability have to be balanced; neither end is best.

# %% [markdown] id="reading-the-slides" tags=["core"]
# ## Reading the slides
#
# Many slides say it like this: *learning rate η: the step size; balances convergence speed and stability.
# ω = ω − η · ∂Loss/∂ω; purpose: find a local optimum of the loss.* Read it with care:
#
# - *Convergence* is coming closer to the minimum, *stability* is not running away from it.
# - *The step size*: strictly, the step is η times the gradient. Near the minimum the gradient shrinks, and the steps
#   shrink with it, though η stays as it is.
# - *ω* on the slide is `w` here, *η* is `lr` in the code.
# - *Find a local optimum*: the update stops wherever the gradient is 0. That can be a minimum, but also a **saddle**: a
#   point that is lowest in one direction and highest in another.

# %% [markdown] id="recall" tags=["core"]
# ## Without looking
#
# Close your eyes and say: the update in one line; the factor by which a step multiplies the distance; the rate that is
# there in one step, if there is one direction only; the rate above which everything diverges.
#
# <details><summary>Compare</summary>
#
# $w \leftarrow w - \eta\,\partial L/\partial w$; $\;1 - \eta\lambda$; $\;1/\lambda$; $\;2/\lambda_{\max}$, with the curvature of the
# steepest direction.
# </details>
#
# ## If you have ten more minutes
#
# Put three lines into a new cell and run it: `lab.condition_number = 100`, `lab.rate = 0.45`, `lab`. Look at the loss
# curve: first it falls quickly, then slowly. Which direction is responsible for which part?
#
# ## Words and symbols
#
# `glossary("…")` in a new cell explains a word or a symbol. All of them are in [the glossary](../GLOSSARY.md) and on
# [the notation page](../docs/notation.md).
#
# ## Sources
#
# - Y. LeCun, L. Bottou, G. Orr and K.-R. Müller (1998), *Efficient BackProp*, Lecture Notes in Computer Science 1524,
#   doi [10.1007/3-540-49430-8_2](https://doi.org/10.1007/3-540-49430-8_2): the rates $1/\lambda$ and $2/\lambda$, section 5.
# - G. Goh (2017), *Why Momentum Really Works*, Distill,
#   doi [10.23915/distill.00006](https://doi.org/10.23915/distill.00006): the same factor, direction by direction.
# - J. Cohen, S. Kaur, Y. Li, Z. Kolter and A. Talwalkar (2021), *Gradient descent on neural networks typically occurs at the edge
#   of stability*, ICLR, [arXiv 2103.00065](https://arxiv.org/abs/2103.00065).
# - A. Damian, E. Nichani and J. Lee (2023), *Self-stabilization: the implicit bias of gradient descent at the edge of stability*,
#   ICLR, [arXiv 2209.15594](https://arxiv.org/abs/2209.15594): why the sharpness stays there.
# - C. Crouch, A. Fagen, J. Callan and E. Mazur (2004), *American Journal of Physics* 72, 835,
#   doi [10.1119/1.1707018](https://doi.org/10.1119/1.1707018): why you predict before you look.
