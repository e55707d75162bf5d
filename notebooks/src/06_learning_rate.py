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
# It grows, by about 12 times the change of the weight. The gradient is the sensitivity of the loss to that weight.
# </details>
# <details><summary>2. What does the backward pass change: the weights, the gradients, or both?</summary>
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
from bplib.lessons.learning_rate import check, hint, predict_fastest, rate_lab, solution
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
# | **Forward** | $\hat y = w \cdot x$ | $3 \cdot 2 = 6$ |
# | **Loss** | $L = \frac{1}{2}(\hat y - y)^2$ | $\frac{1}{2} \cdot 36 = 18$ |
# | **Backward** | $\partial L / \partial w = (\hat y - y) \cdot x$ | $6 \cdot 2 = 12$ |
# | **Update** | $w \leftarrow w - \eta \cdot \partial L / \partial w$ | $3 - 0.1 \cdot 12 = 1.8$ |
#
# The gradient says *up is this way, and this steep*. The minus sign turns round. The **learning rate** $\eta$ ("eta")
# says how far to go for a gradient of 1.
#
# The next cell does the same with the library, one line a stage. `requires_grad=True` asks the library to compute a
# gradient for `w`; after the backward pass it lies in `w.grad`.

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
# The loss above is $\frac{1}{2}(2w)^2 = \frac{1}{2} \cdot 4 \cdot w^2$, and it is smallest at $w = 0$. Repeat the update, now
# from $w = 1$. With a good rate the weight comes closer to 0 at every step; how many steps it needs depends on the rate.
# Choose before you touch the slider: people who predict first see more, right or wrong.

# %% id="predict-fastest" tags=["core", "predict", "widget"]
lab = rate_lab()
predict_fastest(lab)

# %% [markdown] id="lab-how" tags=["core"]
# ## The rate lab
#
# The loss is now a bowl over **two** weights, seen from above: the darker, the higher. Each dot is one update. On the
# right, the same run as curves: how much is left of the loss, and of the distance in each direction. (Each direction is
# a share of the whole start distance, so the two begin below 100 %. The step count waits for both together.)
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
# $$w \leftarrow w - \eta \lambda w = (1 - \eta \lambda) \, w \qquad\text{so}\qquad w_k = (1 - \eta\lambda)^k \, w_0$$
#
# $\lambda$ ("lambda") is the **curvature**: how fast the slope changes. In the example above it is $x^2 = 4$. The
# factor $1 - \eta\lambda$ decides everything:
#
# | rate | factor | what you see |
# |---|---|---|
# | far below $1/\lambda$ | a little below 1 | **slow**: the loss creeps down |
# | nearer to $1/\lambda$ | well between 0 and 1 | **fast** |
# | $\eta = 1/\lambda$ | 0 | there in **one step** |
# | between $1/\lambda$ and $2/\lambda$ | negative, above −1 | **oscillates**: crosses over and back, still comes closer |
# | $\eta = 2/\lambda$ | −1 | **never settles**: jumps between two points for ever |
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
# both directions, and the fastest one lies close to the limit: you overshoot across the valley to get along it.
# Optimizers with momentum, or with a rate for each direction, are ways round this.

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
# - *The step size*: strictly, the step is η times the gradient. Near the minimum the gradient shrinks, and the steps
#   shrink with it, though η stays as it is.
# - *ω* on the slide is `w` here, *η* is `lr` in the code.
# - *Find a local optimum*: the update stops wherever the gradient is 0. That can be a minimum, but also a saddle: a
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
# ## Sources
#
# - Y. LeCun, L. Bottou, G. Orr and K.-R. Müller (1998), *Efficient BackProp*, Lecture Notes in Computer Science 1524,
#   doi [10.1007/3-540-49430-8_2](https://doi.org/10.1007/3-540-49430-8_2): the rates $1/\lambda$ and $2/\lambda$, section 5.
# - G. Goh (2017), *Why Momentum Really Works*, Distill,
#   doi [10.23915/distill.00006](https://doi.org/10.23915/distill.00006): the same factor, direction by direction.
# - C. Crouch, A. Fagen, J. Callan and E. Mazur (2004), *American Journal of Physics* 72, 835,
#   doi [10.1119/1.1707018](https://doi.org/10.1119/1.1707018): why you predict before you look.
