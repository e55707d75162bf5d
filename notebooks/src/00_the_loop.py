# %% [markdown] id="title" tags=["core"]
# # 00 · The loop
#
# **Run all cells first: menu *Run › Run All Cells*. Then scroll back up to here.** The pictures come alive, and nothing you
# can do breaks anything.
#
# 55 minutes: 15 to warm up, 15 to read, 15 to predict and try, 10 to do.
#
# A short way through: leave out the warm-up and the result from 1986.
#
# After this notebook you can
#
# 1. name the four stages by which a neural network learns, in their order,
# 2. say what each stage computes and what it leaves as it is,
# 3. read a loss curve,
# 4. work with this course: predict, check, ask for a hint.

# %% id="imports" tags=["core"]
import numpy as np

import bplib
from bplib import losses, nn, optim
from bplib.lessons.claims import ledger
from bplib.lessons.glossary import glossary
from bplib.lessons.syllabus import map_of_the_course
from bplib.lessons.the_loop import check, hidden_units, hint, loop_stepper, predict_backward_only, solution

# %% [markdown] id="what-it-is" tags=["core", "slide"]
# ## What backpropagation is for
#
# A neural **network** is a function with many adjustable numbers, its **parameters**. At first they are random, and so is
# what the network says. It learns by repeating four **stages**:
#
# | stage | what happens | what you get |
# |---|---|---|
# | **Forward** | the input runs through the network, from one **layer** to the next | the **prediction** |
# | **Loss** | the prediction is compared with the **target**, the right answer: the difference is the **error** | the **loss**: one number, the larger the worse |
# | **Backward** | the error runs back through the network, layer by layer | the **gradients**: for each parameter, how fast the loss grows when that parameter grows |
# | **Update** | each parameter moves a little, in the direction in which the loss falls | new parameters |
#
# And again from the top, hundreds of times: this is the **loop**. A gradient is a derivative, one for each parameter. The third stage gave the
# method its name: *backpropagation* is short for *backward propagation of errors*. It finds out, for thousands of parameters at
# once, which way each of them should move. The whole course is about these four stages.

# %% [markdown] id="map-text" tags=["core"]
# ## The map
#
# The notebooks of the course lie on the four stages. The blue ones are ready; the numbers on the right are minutes. The
# signs in the boxes stand for the six **key components** of learning, and each sign means the same everywhere:
#
# - ● the **loss function** says in one number how wrong the prediction is;
# - ▲ the **gradients** say how fast the loss grows with each parameter;
# - ∂ the **chain rule**, the rule for the derivative of a function inside a function, is how Backward gets them, layer by layer;
# - ▶ the **optimization algorithm**, in short the *optimizer*, decides how the gradients change the parameters;
# - η the **learning rate** (the letter is called "eta") says how far one **step** goes;
# - ◆ the **weight updates** are these steps.

# %% id="map" tags=["core"]
map_of_the_course()

# %% [markdown] id="how-it-works" tags=["core"]
# ## How you work with this course
#
# - **Predict** first, then look. When a question has buttons, choose before you read on. Your answer is kept beside what
#   really comes out.
# - **Do**: some cells hold three dots, `...`. Replace the dots by your answer and run the cell (*Shift* + *Enter*).
# - **Check**: run the cell below it, which begins with `check`. It does not only say right or wrong: it says which
#   mistake your answer looks like.
# - **Stuck?** Type `hint("four-stages")` into a new cell and run it; the name stands in the line with `check`. Run it again
#   for a stronger hint. `solution("four-stages")` shows one way, and why it is right.
#
# - **A word you forgot?** `glossary("gradient")` in a new cell says what it means.
#
# You work in your own copy. A mess is no problem: type `python course.py reset 00` in a terminal, in the folder of the course.
# It gives you a fresh copy and keeps the old one beside it. Your predictions, what your checks said and your minutes stay in
# the folder `my` on this machine; nothing is sent anywhere.

# %% [markdown] id="before-you-start" tags=["core"]
# ## Before you start
#
# You need a little Python, a little NumPy, and you should know what a derivative is. Three small tasks show whether it is all there.
# If one of them is new to you, open *What you need* first.

# %% [markdown] id="python-warm-up-text" tags=["core"]
# ### Python
#
# Write a function that returns the mean of the squares of some numbers: square each, add them up, divide by how many there
# are. For `[1, 2, 3]` it is (1 + 4 + 9) / 3, which is about 4.667.
#
# <details><summary>What you need</summary>
#
# A function gets values and returns one: `def double(x): return 2 * x`. A loop goes through a list: `for x in [3, 4]:`.
# `len([3, 4])` is 2. `x ** 2` is x times x.
# </details>

# %% id="python-warm-up" tags=["core", "task"]
def mean_of_squares(numbers):
    # BEGIN SOLUTION
    total = 0
    for number in numbers:
        total = total + number**2
    return total / len(numbers)
    # END SOLUTION

# %% id="python-warm-up-check" tags=["core", "check"]
check("python-warm-up", mean_of_squares)

# %% [markdown] id="numpy-warm-up-text" tags=["core"]
# ### NumPy
#
# Let $X$ be `np.array([[1, 2], [3, 4]])` and $w$ be `np.array([10, 1])`. What is the second number of `X @ w`? Work it
# out by hand.
#
# <details><summary>What you need</summary>
#
# `np.array([[1, 2], [3, 4]])` is a matrix with two rows and two columns; its shape is `(2, 2)`. `X @ w` multiplies a
# matrix by a vector: each row of `X` is multiplied, number by number, with `w`, and the products are added up. With
# $X = (5, 6)$ and $w = (2, 1)$ that is $5 \cdot 2 + 6 \cdot 1 = 16$. A whole layer of a network is one such product.
# </details>

# %% id="numpy-warm-up" tags=["core", "task"]
# BEGIN SOLUTION
second_number = 3 * 10 + 4 * 1
# END SOLUTION

# %% id="numpy-warm-up-check" tags=["core", "check"]
check("numpy-warm-up", second_number)

# %% [markdown] id="derivative-warm-up-text" tags=["core"]
# ### Derivatives
#
# The loss is $L = (w - 3)^2$. What is its derivative at $w = 5.5$?
#
# <details><summary>What you need</summary>
#
# The derivative of $L$ with respect to $w$ says how fast $L$ grows when $w$ grows a little. The derivative of $w^2$ is
# $2w$: at $w = 5$, a *nudge*, a small change of 0.01, moves $w^2$ by about $2 \cdot 5 \cdot 0.01 = 0.1$. If $w^2$ becomes $(w - 3)^2$, the
# curve moves 3 to the right, and its derivative is $2(w - 3)$.
# </details>

# %% id="derivative-warm-up" tags=["core", "task"]
# BEGIN SOLUTION
derivative = 2 * (5.5 - 3)
# END SOLUTION

# %% id="derivative-warm-up-check" tags=["core", "check"]
check("derivative-warm-up", derivative)

# %% [markdown] id="xor" tags=["core", "slide"]
# ## A task for the smallest networks
#
# Four **examples**, each with two inputs and a target. The target is 1 if exactly one of the inputs is 1. This is **XOR**, "either, or".
#
# | input | 0 0 | 0 1 | 1 0 | 1 1 |
# |---|---|---|---|---|
# | **target** | 0 | 1 | 1 | 0 |
#
# The network has two inputs, three **hidden units** in the middle, and one output. A **unit** multiplies each of its inputs by
# a **weight**, adds the products and a **bias**; a hidden unit then bends the sum into the range from −1 to 1. That makes
# 2 · 3 + 3 · 1 = 9 weights and 3 + 1 = 4 biases: 13 parameters. They begin as random numbers. (The 0 in `default_rng(0)` says which ones, so that you
# see the same as here.)
#
# In the code, `Linear` is a layer of units, `Sequential` puts layers one behind the other, `Tanh` the bending with the function **tanh**, `mse` (**mean squared error**) the mean of the squared
# differences. `SGD` is the simplest optimizer, and `lr` its learning rate η.
#
# The cell goes through the loop once. Four stages, four lines.

# %% id="one-loop" tags=["core"]
X, y = bplib.data.xor()
rng = np.random.default_rng(0)
network = nn.Sequential(nn.Linear(2, 3, rng=rng), nn.Tanh(), nn.Linear(3, 1, rng=rng))
optimizer = optim.SGD(network.parameters(), lr=0.3)

prediction = network(X)  # Forward
loss = losses.mse(prediction, y)  # Loss
loss.backward()  # Backward
optimizer.step()  # Update

print("predictions", prediction.numpy().round(2).ravel())
print("targets    ", y.ravel())
print(f"loss        {loss:.4f}, the mean of the squared differences")

# %% [markdown] id="predict" tags=["core", "slide"]
# ## Predict before you look
#
# Suppose you run Forward, Loss and Backward 1,000 times, and never Update. Choose before you go on: people who predict
# first see more, right or wrong.

# %% id="predict-backward-only" tags=["core", "predict", "widget"]
stepper = loop_stepper()
predict_backward_only(stepper)

# %% [markdown] id="stepper-how" tags=["core"]
# ## The loop stepper
#
# This is the network for XOR, with all its numbers: the inputs $x_1$ and $x_2$, the hidden units $h_1$ to $h_3$, the
# prediction $\hat y$. The number on a line is its weight, $b$ is a bias; below each stands its gradient ▲ after
# Backward, and after Update what was added ◆. The line of words below the picture says what happened and what comes next.
#
# The **loss curve** on the right shows the loss of each loop, from left to right. Falling: the network learns. Flat: it does
# not, or hardly.
#
# Three goals:
#
# 1. Go through one loop by hand. Which stage changes the weights? When do the predictions change?
# 2. Press *100 loops* until all four predictions are close to their targets. Where does the loss curve fall, where is it flat?
# 3. Press *Reset*, switch on *skip update*, and press *100 loops*. What does the curve say now?
#
# *Step back* undoes the last press. Everything works with the *Tab*, *Enter*, space and arrow keys too.

# %% id="loop-stepper" tags=["core", "widget"]
stepper

# %% [markdown] id="stepper-compare" tags=["core"]
# <details><summary>Compare your three answers</summary>
#
# 1. Only Update changes the weights. The predictions change at the next Forward, not before.
# 2. The curve falls at once, in the first few loops, then lies flat near 0.25 for a while: the network answers about 0.5 to
#    everything. Then it finds the pattern, and the curve falls again. After 100 loops the loss is below 0.01.
# 3. The curve is a flat line. The gradients are computed 100 times, and nobody uses them.
# </details>

# %% [markdown] id="backward-only-text" tags=["core", "slide"]
# ## What Backward does, and what it does not do
#
# The next cell does what the prediction was about. The function goes round the loop with or without Update: `if update`
# decides. The line with `zero_grad` clears the gradients of the loop before; otherwise the new ones would be added to
# them.

# %% id="backward-only" tags=["core"]
def loss_after(rounds, update):
    rng = np.random.default_rng(0)
    network = nn.Sequential(nn.Linear(2, 3, rng=rng), nn.Tanh(), nn.Linear(3, 1, rng=rng))
    optimizer = optim.SGD(network.parameters(), lr=0.3)
    for _ in range(rounds):
        loss = losses.mse(network(X), y)  # Forward, Loss
        optimizer.zero_grad()
        loss.backward()  # Backward
        if update:
            optimizer.step()  # Update
    return loss.item()


print(f"at first                    {loss_after(1, update=False):.4f}")
print(f"1,000 times without Update  {loss_after(1000, update=False):.4f}")
print(f"1,000 times with Update     {loss_after(1000, update=True):.4f}")

# %% [markdown] id="backward-only-why" tags=["core"]
# (0.0000 means: less than 0.00005.) Backward computes gradients and changes no parameter. With the same parameters, the next Forward gives the same
# predictions, and the loss stays. **Backward finds the way, Update takes the step.** That is why this course
# never says "backpropagation trains the network": it takes all four stages.

# %% [markdown] id="four-stages-text" tags=["core"]
# ## Exercise 1: put the stages in order
#
# Four lines of Python, out of order. `network` is a network, `X` holds the inputs, `y` the targets.
#
# | | line |
# |---|---|
# | **A** | `optimizer.step()` |
# | **B** | `loss.backward()` |
# | **C** | `prediction = network(X)` |
# | **D** | `loss = losses.mse(prediction, y)` |
#
# Write the four letters in the right order, as text: `"ABCD"` would mean A first.

# %% id="four-stages" tags=["core", "task"]
# BEGIN SOLUTION
four_stages = "CDBA"
# END SOLUTION

# %% id="four-stages-check" tags=["core", "check"]
check("four-stages", four_stages)

# %% [markdown] id="one-update-text" tags=["core"]
# ## Exercise 2: one update
#
# The update takes a small step against the gradient: the new weight is the old one minus the learning rate η times the
# gradient,
#
# <a id="eq-00-update"></a>
# $$w \leftarrow w - \eta \cdot \text{gradient}$$
#
# The weight is 2.0, the gradient 3.0, the learning rate 0.1. What is the new weight?

# %% id="one-update" tags=["core", "task"]
# BEGIN SOLUTION
new_weight = 2.0 - 0.1 * 3.0
# END SOLUTION

# %% id="one-update-check" tags=["core", "check"]
check("one-update", new_weight)

# %% [markdown] id="which-stage-text" tags=["core"]
# ## Exercise 3: where the learning rate acts
#
# You change the learning rate. Which of the four stages computes something different the next time it runs? Answer
# with `"Forward"`, `"Loss"`, `"Backward"` or `"Update"`.

# %% id="which-stage" tags=["core", "task"]
# BEGIN SOLUTION
which_stage = "Update"
# END SOLUTION

# %% id="which-stage-check" tags=["core", "check"]
check("which-stage", which_stage)

# %% [markdown] id="what-changes-text" tags=["core"]
# ## Exercise 4: what each stage makes new
#
# Each stage makes one thing new and leaves the other three as they are. Give each stage its word: `"weights"`,
# `"gradients"`, `"predictions"` or `"loss"`. ("Weights" means all parameters, the biases too.)
# Write a dictionary, with a word in place of each `...`:
#
# `{"Forward": ..., "Loss": ..., "Backward": ..., "Update": ...}`

# %% id="what-changes" tags=["core", "task"]
# BEGIN SOLUTION
what_changes = {"Forward": "predictions", "Loss": "loss", "Backward": "gradients", "Update": "weights"}
# END SOLUTION

# %% id="what-changes-check" tags=["core", "check"]
check("what-changes", what_changes)

# %% [markdown] id="who-trains-text" tags=["core"]
# ## Exercise 5: in your own words
#
# A friend says: *"Backpropagation trains the network."* What is missing in that sentence? Answer in two or three sentences
# of your own, as text between quotation marks.
#
# No program can judge your sentences. The check shows a model answer beside them, and you compare.

# %% id="who-trains" tags=["core", "task"]
# BEGIN SOLUTION
who_trains = (
    "Backpropagation computes the gradients and changes no weight. Update uses them to move each weight a little, "
    "and training is the whole loop, Forward, Loss, Backward and Update, many times over."
)
# END SOLUTION

# %% id="who-trains-check" tags=["core", "check"]
check("who-trains", who_trains)

# %% [markdown] id="hidden-units-text" tags=["core"]
# ## A result from 1986: why the middle layer matters
#
# In 1969 Marvin Minsky and Seymour Papert showed what networks without hidden units cannot do; XOR is the smallest example.
# In 1986 David Rumelhart, Geoffrey Hinton and Ronald Williams showed how the gradients from backpropagation let hidden units
# learn.
#
# The cell trains networks with 1, 2, 3, 4 and 8 hidden units on XOR. Each gets 100 random starts. A start is *solved* when
# all four predictions are within 0.1 of their targets, in at most 5,000 updates. The networks are built and trained as in the
# paper of 1986, a little differently from the one above.

# %% id="hidden-units" tags=["core"]
hidden_units().picture()

# %% [markdown] id="hidden-units-why" tags=["core"]
# Draw the four inputs as points in a plane: (0, 0), (0, 1), (1, 0) and (1, 1). One hidden unit never solves it: it can only
# divide the four points by one straight line, and no straight line has the two 1s on one side and the two 0s on the other.
# Two hidden units can, most of the time. From three on, all 100 starts succeed here; with other random numbers, once in a
# while one does not.
#
# So the very same loop can get stuck, depending on where it starts. Why that happens, and how often, is a topic of its own
# (notebook 07).
#
# The table puts what was published beside what comes out here. It is computed anew each time the cell runs.

# %% id="ledger" tags=["optional"]
ledger("00")

# %% [markdown] id="you-may-think" tags=["core", "slide"]
# ## You may think …
#
# **"Backpropagation is how the network learns, so calling `backward` makes it better."**
#
# *Try it:* in the loop stepper, press *Forward*, *Loss*, *Backward* and look at the weights.
#
# *Why it fails:* every weight is what it was. Backward attaches a gradient to each of them, and only Update
# uses it. The two can be changed one by one: the same gradients work with another rule for the update (notebooks 08 and 09).

# %% [markdown] id="reading-the-slides" tags=["core"]
# ## Reading the slides
#
# Many slides say it like this: *Backpropagation, short for backward propagation of errors: calculate the error, compute the
# gradient of the error with respect to each parameter, propagate it backward through the layers. Purpose: modify
# weights and biases so that the output matches the ground truth; learn patterns by updating parameters in the direction of
# decreasing error, iteratively.* Read it with care:
#
# - *Calculate the error*: these are Forward and Loss. The *error* is the difference between prediction and target, the loss is
#   the one number made of all errors. *Ground truth* is what this course calls the target.
# - *Compute the gradient, propagate it backward*: one thing, not two. Backward first asks how the loss reacts to the output
#   of the last layer. From that it finds how the loss reacts to the layer before, and so on, back to the first. At each layer it gets the gradients
#   of the weights there. The rule for going back through one layer is the chain rule (notebook 04).
# - *Modify weights and biases*: that is what the gradients are for. Update does it.
# - *Learn patterns, iteratively*: the loop, many times. Each Update goes against the gradient; after many of them the
#   network has found what the examples have in common.
#
# Some slides also say: *optimization algorithms handle the backpropagation for us*. They do not. Backpropagation computes
# the gradients, the optimization algorithm uses them.

# %% [markdown] id="recall" tags=["core"]
# ## Without looking
#
# Close your eyes and say: the four stages in order; what each of them makes new; which one uses the learning rate; what
# 1,000 Backwards without an Update do to the loss.
#
# <details><summary>Compare</summary>
#
# Forward – Loss – Backward – Update; predictions, loss, gradients, weights; Update; nothing.
# </details>

# %% [markdown] id="progress-text" tags=["core"]
# ## Your progress
#
# The cell shows what you have done in all notebooks, how long it took, and what is worth repeating. Run it again whenever
# you like; `python course.py progress` shows the same in a terminal.

# %% id="progress" tags=["core", "again", "nbval-ignore-output"]
# not compared: it shows what you have done so far
from bplib.lessons.progress_page import progress_page

progress_page()

# %% [markdown] id="where-next" tags=["core"]
# ## If you have ten more minutes
#
# Put the line `stepper.reset(); stepper.lr = 2; stepper` into a new cell and run it. Press *100 loops*. Then try a learning
# rate of 0.05. What do the two loss curves look like? Notebook 06 says why.
#
# ## Where next
#
# [06 · Weight update and learning rate](06_learning_rate.ipynb): how large may a step be?
#
# ## Words and symbols
#
# `glossary("…")` in a new cell explains a word or a symbol. All of them are in [the glossary](../GLOSSARY.md) and on
# [the notation page](../docs/notation.md).
#
# ## Sources
#
# - D. Rumelhart, G. Hinton and R. Williams (1986), *Learning representations by back-propagating errors*, Nature 323, 533–536,
#   doi [10.1038/323533a0](https://doi.org/10.1038/323533a0).
# - M. Minsky and S. Papert (1969), *Perceptrons*, MIT Press.
# - T. Lillicrap, A. Santoro, L. Marris, C. Akerman and G. Hinton (2020), *Backpropagation and the brain*, Nature Reviews
#   Neuroscience 21, 335–346, doi [10.1038/s41583-020-0277-3](https://doi.org/10.1038/s41583-020-0277-3): learning with and
#   without backpropagation.
# - C. Crouch, A. Fagen, J. Callan and E. Mazur (2004), *American Journal of Physics* 72, 835,
#   doi [10.1119/1.1707018](https://doi.org/10.1119/1.1707018): why you predict before you look.
