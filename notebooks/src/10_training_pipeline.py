# %% [markdown] id="title" tags=["core"]
# # 10 · The whole training pipeline
#
# **Run all cells first: menu *Run › Run All Cells*.** Everything here takes seconds.
#
# 60 minutes: 20 to read, 10 to predict, 30 to do.
#
# After this notebook you can
#
# 1. build the pipeline: data – split – network – loop – evaluation,
# 2. check a network for sanity before you train it,
# 3. read a fault in the curves of a run, and mistakes in a confusion matrix,
# 4. say why the way of splitting the data changes the result.

# %% [markdown] id="three-questions" tags=["core"]
# ## Three questions to warm up
#
# <details><summary>1. What happens in Forward, Loss, Backward and Update, in one sentence each?</summary>
#
# Forward computes the prediction. Loss measures how far it is from the target. Backward computes the gradient of the
# loss for every weight. Update moves every weight a little against its gradient.
# </details>
# <details><summary>2. A batch is a handful of the examples. Why take a step for each batch and not for all examples?</summary>
#
# A batch gives a good guess of the gradient for a fraction of the work. Many rough steps beat few exact ones.
# </details>
# <details><summary>3. The rate is above 2 divided by the largest curvature. What happens to the loss?</summary>
#
# It grows: every step overshoots further than the one before.
# </details>

# %% id="imports" tags=["core"]
import numpy as np

import bplib
from bplib import losses, nn, optim
from bplib.data import load_digits
from bplib.lessons.glossary import glossary
from bplib.lessons.training_pipeline import (
    check,
    hint,
    ledger,
    predict_best_optimizer,
    predict_first_loss,
    solution,
    tuning,
)
from bplib.training import accuracy, evaluate, fit
from bplib.viz.confusion import confusion_matrix
from bplib.viz.curves import loss_curves
from bplib.viz.images import image_grid
from bplib.widgets.cockpit import training_cockpit

# %% [markdown] id="data-text" tags=["core", "slide"]
# ## The data
#
# 1,797 handwritten digits, each a picture of 8 × 8 pixels. A pixel is a number from 0 (paper) to 1 (ink), so a picture
# is a row of 64 numbers: the input $X$. The target $y$ is the digit that was meant, one of ten **classes**.
#
# A quarter of the pictures is put aside: the **test examples**. The network never learns from them; they tell how well it
# does on digits it has not seen. This **split** is shuffled, keeps the share of every digit, and always comes out the same.

# %% id="data" tags=["core"]
digits = load_digits()
print(digits)

# %% id="look-at-the-data" tags=["core"]
first_of_each = [int(np.flatnonzero(digits.y_train == d)[0]) for d in range(10)]
image_grid(digits.X_train[first_of_each].reshape(-1, 8, 8), [f"a {d}" for d in range(10)])

# %% [markdown] id="network-text" tags=["core", "slide"]
# ## The network
#
# 64 inputs, 64 hidden units with tanh, 10 outputs: one score for each digit. The **softmax** turns ten scores into ten
# probabilities that add up to 1. The **cross-entropy** is the loss: minus the natural logarithm of the probability that the true
# digit got. A sure and right answer costs nothing, a sure and wrong one costs much.
#
# The **seed** 0, with which the random numbers begin, makes the first weights the same on every machine.

# %% id="network" tags=["core"]
def new_network(seed=0):
    """Two layers with fresh weights."""
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Linear(64, 64, rng=rng), nn.Tanh(), nn.Linear(64, 10, rng=rng))


network = new_network()
network

# %% [markdown] id="predict-text" tags=["core"]
# ## Predict before you look
#
# The network has not learned anything. What is its loss?

# %% id="predict-first-loss" tags=["core", "predict", "widget"]
first_loss = evaluate(network, losses.cross_entropy, *digits.train)
predict_first_loss(first_loss)

# %% [markdown] id="chance-text" tags=["core"]
# ## Exercise 1: the loss at chance
#
# Another network reads the 26 capital letters A to Z. It knows nothing, too. Which loss should it have at first?
#
# If a network of your own starts far from its number, something is wrong before training begins: the first weights, the
# scale of the inputs, or the loss.

# %% id="chance-loss" tags=["core", "task"]
# BEGIN SOLUTION
chance_loss = -np.log(1 / 26)
# END SOLUTION

# %% id="chance-loss-check" tags=["core", "check"]
check("chance-loss", chance_loss)

# %% [markdown] id="order-text" tags=["core", "slide"]
# ## Exercise 2: one step in the right order
#
# These five lines make one training step. Put them in order.
#
# | | line | |
# |---|---|---|
# | A | `optimizer.step()` | Update |
# | B | `loss = losses.cross_entropy(scores, y)` | Loss |
# | C | `loss.backward()` | Backward |
# | D | `scores = network(X)` | Forward |
# | E | `optimizer.zero_grad()` | forget the old gradients |
#
# Write the letters as one text, such as `"ABCDE"`.

# %% id="order-the-step" tags=["core", "task"]
# BEGIN SOLUTION
order = "DBECA"
# END SOLUTION

# %% id="order-the-step-check" tags=["core", "check"]
check("order-the-step", order)

# %% [markdown] id="overfit-text" tags=["core"]
# ## A sanity check: learn twenty pictures by heart
#
# Before you train for long, give the network a task it cannot fail: twenty pictures, two of each digit, over and over.
# If the loss does not go to almost 0, something is wrong, often the loop or the rate, and no amount of data will help.

# %% id="overfit" tags=["core"]
two_of_each = np.concatenate([np.flatnonzero(digits.y_train == digit)[:2] for digit in range(10)])
few = digits.X_train[two_of_each], digits.y_train[two_of_each]
pupil = new_network()
by_heart = fit(pupil, losses.cross_entropy, optim.Adam(pupil.parameters(), lr=0.01), few, epochs=100, batch_size=20)
print(f"loss on the twenty   {by_heart['train_loss'][0]:.2f} at first, {by_heart['train_loss'][-1]:.4f} at the end")
print(f"right of the twenty  {accuracy(pupil, *few):.0%}")
print(f"right of the unseen  {accuracy(pupil, *digits.test):.0%}")

# %% [markdown] id="by-heart-text" tags=["core"]
# All twenty right, and far fewer of the others. **A loss of almost zero does not make a good network**: two pictures of
# each digit do not show how differently people write. What counts is the loss on examples the network has not seen.

# %% [markdown] id="train-text" tags=["core", "slide"]
# ## Train
#
# `fit` repeats Forward – Loss – Backward – Update for every batch of 32 pictures. One pass over all training pictures is
# an **epoch**. After each epoch it measures the loss on the pictures put aside, the **validation loss**; that on the others
# is the **training loss**. The optimizer is **Adam**, which gives every weight a rate of its own.
#
# Here the same pictures serve for watching and for the final number. As soon as you *choose* anything by the validation
# curve, such as the number of epochs, put a third part aside for the final number.

# %% id="train" tags=["core"]
optimizer = optim.Adam(network.parameters(), lr=0.003)
history = fit(network, losses.cross_entropy, optimizer, digits.train, digits.test, epochs=40, rng=0)
history

# %% id="curves" tags=["core"]
loss_curves(history)

# %% [markdown] id="curves-text" tags=["core"]
# Read the curves together. Both fall: it learns. The training curve goes on falling while the validation curve levels
# off: from there on the network mostly learns its own examples by heart: **overfitting**.
#
# At the very first the validation curve is the lower one. The training loss is averaged *during* the epoch, while the
# network is still getting better; the validation loss is measured *after* it.
#
# Now the number everybody asks for, the **accuracy**: which share of the unseen pictures is right? The run is seeded, so it
# prints the same every time. The cell trains a second network from the same seed to prove it.

# %% id="accuracy" tags=["core"]
share = accuracy(network, *digits.test)
print(f"{share:.1%} of the {len(digits.y_test)} unseen digits are right")

twin = new_network()
fit(twin, losses.cross_entropy, optim.Adam(twin.parameters(), lr=0.003), digits.train, epochs=40, rng=0)
print(f"the same again: {accuracy(twin, *digits.test):.1%}")

# %% [markdown] id="confusion-text" tags=["core"]
# ## Which digits are confused?
#
# One number hides what went wrong. In the **confusion matrix** each row is a true digit, each column what the network
# said. The diagonal is right. Everything else is a mistake with a name.

# %% id="confusion" tags=["core"]
scores = network(digits.X_test).numpy()
said = scores.argmax(axis=1)
confusion_matrix(digits.y_test, said)

# %% [markdown] id="mistakes-text" tags=["core"]
# ## A look at the mistakes
#
# The most useful habit in this notebook: look at them. Some are hard for you, too. If the mistakes all look alike, collect
# more pictures of that kind. In brackets is the probability that the network gave its wrong answer.

# %% id="mistakes" tags=["core"]
wrong = np.flatnonzero(said != digits.y_test)[:10]
sure = bplib.softmax(scores).numpy().max(axis=1)
image_grid(
    digits.X_test[wrong].reshape(-1, 8, 8),
    [f"true {digits.y_test[i]}, said {said[i]} ({sure[i]:.0%})" for i in wrong],
)

# %% [markdown] id="split-text" tags=["core", "slide"]
# ## How you split is part of the result
#
# 13 people wrote these digits, one after the other. The shuffled split has the same people on both sides: the network
# meets handwriting it knows. The cell below puts the *end of the file* aside instead, so that most of the handwriting is
# new to it. The same network, the same training.

# %% id="split" tags=["core"]
for split in ("random", "blocks"):
    part = load_digits(split=split)
    reader = new_network()
    fit(reader, losses.cross_entropy, optim.Adam(reader.parameters(), lr=0.003), part.train, epochs=40, rng=0)
    print(f"{split:<7} {accuracy(reader, *part.test):.0%} right")

# %% [markdown] id="two-shares-text" tags=["core"]
# ## Exercise 3: which of them is right?
#
# You report one of these two numbers, a friend the other. Who is right? Answer in two or three sentences of your own, as text
# between quotation marks, before you read on. The check shows a model answer beside yours, and you compare.

# %% id="two-shares" tags=["core", "task"]
# BEGIN SOLUTION
two_shares = (
    "Both numbers are right, and they answer different questions. With the random split the network has already "
    "seen digits by the same people; with the other split most of the handwriting is new to it. Whoever reports a "
    "number has to say which of the two is meant."
)
# END SOLUTION

# %% id="two-shares-check" tags=["core", "check"]
check("two-shares", two_shares)

# %% [markdown] id="leakage-text" tags=["core"]
# Something about the test examples had **leaked** into training: how these very people write. Neither number is wrong.
# They answer different questions: *another digit by a person it knows*, and *a digit by a person who is new to it*. Say
# which one you mean whenever you report a result.

# %% [markdown] id="cockpit-text" tags=["core", "slide"]
# ## When it does not learn: the training cockpit
#
# A broken training rarely stops with an error. It runs, prints numbers, and learns badly. The cockpit below trains a smaller
# network on 300 digits, epoch by epoch. It never learns from 200 other digits, most of them by other people: the
# *validation digits*. With the setting *healthy* nothing is wrong. Each of the settings *A* to *H* hides one fault.
#
# Its 24 hidden units are of the kind *ReLU*: a sum above 0 passes, any other becomes 0. A unit that gives 0 for every digit is
# a *dead unit*: no gradient comes through it.

# %% [markdown] id="cockpit-how" tags=["core"]
# Four plots show the run. On the left are the losses, and how many of the 200 validation digits are right. Both losses are
# measured after the epoch; epoch 0 is before the first step. On the right are two numbers for the weights of each layer:
#
# - the *gradient norm*, ‖∂Loss/∂W‖: the length of the gradient, the square root of the sum of its squares,
# - the **update-to-weight ratio**, ‖ΔW‖ / ‖W‖: the length of one step, divided by the length of the weights. A rule of thumb
#   says about 1/1000. The healthy run begins ten times higher and comes down to it. Look for a ratio that is a hundred times
#   off, or 0.
#
# From one power of ten to the next these axes multiply by 10. Biases are not counted.
#
# *One epoch* goes on by one, *Run* by up to forty, and *look at epoch* goes back in time. When it has run, choose *your guess*.
# A run with that fault appears in grey, and the line below the plots names a number that speaks for your guess or against
# it. If it finds none yet, run more epochs.
#
# Three goals:
#
# 1. Run *healthy* first. From about which epoch on does the validation loss hardly fall, while the training loss goes on?
# 2. Name the faults of three settings from the plots alone. Which of the four plots gave each of them away?
# 3. Run all the settings. In one, the *validation* curve looks better than that of the healthy run. Which is it, and why is
#    this fault the worst?

# %% id="cockpit" tags=["core", "widget"]
cockpit = training_cockpit()
cockpit

# %% [markdown] id="cockpit-why" tags=["core"]
# <details><summary>Compare, when you have named a few</summary>
#
# From about epoch 20 on, the validation loss of the healthy run stays between 0.44 and 0.46, and the training loss goes on
# from 0.14 to 0.05.
#
# | what you see | the fault |
# |---|---|
# | the first loss is far above ln 10 = 2.30 | *inputs not scaled*; in a network of your own perhaps first weights that are too large |
# | both losses stand still, and the ratio is far below 1/1000: here 1/30,000 or less | *learning rate ÷ 1000* |
# | in epoch 1 a step is about half as long as the weights; then no gradient is left | *learning rate × 100*: the first steps kill the units |
# | no gradient from epoch 1 on, and the loss stays near 2.30: only the biases of the last layer still learn | *dead units* before the first step |
# | a gradient arrives in layer 1, and its ratio is 0 | *layer 1 frozen*: its weights were not given to the optimizer |
# | it learns for two or three epochs; then the gradient norm is ten times what it was, and does not fall again | *gradients not zeroed* before Backward |
# | the training loss falls, the validation loss rises, and about 20 of 200 are right | *targets shuffled*: they do not belong to their inputs |
# | the validation loss is as low as the training loss, and far lower than in the healthy run | *validation leaked*: validation digits among the training digits |
#
# The last fault is the worst because nothing looks wrong. You find out when the network meets digits that nobody had put
# into its training.
# </details>
#
# A sound habit: look at the loss before the first step. After one epoch look at the gradient norm and the update-to-weight
# ratio of each layer. Then go on watching the validation loss. Most faults show early. A leak does not: check the split
# itself.

# %% [markdown] id="optimizers-text" tags=["optional"]
# ## Which optimizer is the best?
#
# The network learned with Adam. Would another optimizer do better? Here are four on two small tasks: **SGD**, gradient descent batch by batch; SGD with **momentum**,
# which carries a part of each step on into the next (notebook 08); **AdaGrad** and Adam, which give every weight a rate of its own
# (notebook 09). One task is 300 of the digits. The other is 400 short texts, each given as how often it holds each of 200 words. Most
# words are rare, so most inputs are 0.
#
# To be fair, each optimizer needs a learning rate that suits it. Each may try one rate, the usual one of a
# well-known library; or three; or nine, from a hundredth of the usual one to a hundred times as large. With the best of them it trains five
# more networks, from other first weights. What counts is the lowest validation loss of each.

# %% id="predict-best-optimizer" tags=["optional", "predict", "widget"]
predict_best_optimizer()

# %% [markdown] id="optimizers-how" tags=["optional"]
# All runs together take most of a minute. They were done before; the cell shows the numbers that were kept. A dot is one
# network, a dash the median of five.

# %% id="optimizers" tags=["optional"]
tuning().picture()

# %% [markdown] id="optimizers-why" tags=["optional"]
# - With one try, AdaGrad and Adam are far ahead on both tasks. Mostly that tells how near their usual rate is to a good one.
# - With nine tries, momentum comes out first on the digits, before it was third. But it is ahead by a little, and its dots and
#   those of Adam overlap. On the texts Adam and AdaGrad stay ahead, and which of the two is better these five runs cannot say.
# - SGD is last everywhere. But its best rate was the largest it was allowed to try. With two larger ones, it becomes as good as
#   momentum on the digits; on the texts it stays behind.
#
# So no optimizer is best everywhere, and how much you try changes the order. Robin Schmidt and others found the first with
# fifteen optimizers in more than 50,000 runs, Dami Choi and others the second; the table compares. When you read that one optimizer beats another, ask on
# which task, with how many tries, and from which rates they were chosen.

# %% id="ledger" tags=["optional"]
ledger("10")

# %% [markdown] id="you-may-think" tags=["core", "slide"]
# ## You may think …
#
# **"The lower the training loss, the better the network."**
#
# *Try it:* change `epochs=40` to `epochs=200` in *Train* and run the cells from *The network* down to the curves again.
# Then set it back to 40.
#
# *Why it fails:* the training loss goes on towards 0. From about epoch 80 the validation loss rises again. The share of
# right answers does not fall, though: the network becomes too sure of its mistakes, and the loss punishes that. Loss and
# accuracy are two different questions.

# %% [markdown] id="recall" tags=["core"]
# ## Without looking
#
# Close your eyes and name the parts of the pipeline in order, the loss of an untrained network with ten classes, and two
# checks you do before a long training.
#
# <details><summary>Compare</summary>
#
# Data – split – network – loop (Forward – Loss – Backward – Update) – evaluation. The loss is ln 10, about 2.30. Check that the first
# loss is near that, and that twenty examples can be learned by heart.
# </details>
#
# ## If you have ten more minutes
#
# Multiply all inputs by 100, `digits.X_train * 100` and `digits.X_test * 100`, and train a new network. Do the first loss
# and the twenty pictures warn you?
#
# <details><summary>Compare</summary>
#
# Hardly: the first loss is about 2.5 instead of 2.3, and twenty pictures are still learned by heart. Yet only about 93 %
# of the unseen digits are right instead of 98 %. With such inputs tanh is at its ends, almost flat, and hides the fault.
# A check that passes does not prove that all is well.
# </details>
#
# ## Words and symbols
#
# `glossary("…")` in a new cell explains a word or a symbol. All of them are in [the glossary](../GLOSSARY.md) and on
# [the notation page](../docs/notation.md).
#
# ## Sources
#
# - E. Alpaydin and C. Kaynak (1998), *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository,
#   doi [10.24432/C50P49](https://doi.org/10.24432/C50P49), licence CC BY 4.0.
# - R. Schmidt, F. Schneider and P. Hennig (2021), *Descending through a crowded valley: benchmarking deep learning optimizers*,
#   Proceedings of Machine Learning Research 139.
# - D. Choi, C. Shallue, Z. Nado, J. Lee, C. Maddison and G. Dahl (2019), *On empirical comparisons of optimizers for deep
#   learning*, [arXiv 1910.05446](https://arxiv.org/abs/1910.05446).
# - D. P. Kingma and J. Ba (2015), *Adam: A Method for Stochastic Optimization*, ICLR,
#   [arXiv 1412.6980](https://arxiv.org/abs/1412.6980).
