"""Figures of models of words: their topics, how coherent these are, and how well words are told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentloom.model_zoo.metrics.coherence import npmi, top_words
from latentloom.model_zoo.metrics.perplexity import perplexities, unigram_log_probabilities
from latentloom.model_zoo.metrics.probes import probe_accuracy
from latentloom.pipeline.config.settings import EvaluateConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.schema import Table

TOP_WORDS = 10
"""Words of a topic that are shown, and whose pairs its coherence is the mean of."""
MEANS = {
    "document": "exp(-mean over documents of the bound per word)",
    "word": "exp(-sum of the bounds over the number of all words)",
}
"""Formula of the perplexity by document and by word."""


@dataclass(frozen=True)
class Topics:
    """What each dimension of a code says in words. Find some with `find_topics`.

    Attributes:
        names: The block of every topic and its number there, from 0.
        words: Its `TOP_WORDS` words of the largest weights, the largest first.
        coherence: NPMI of every topic, `(topics,)` in `[-1, 1]`.
        documents: How many training documents that is measured on.
    """

    names: list[str]
    words: list[list[str]]
    coherence: np.ndarray
    documents: int


def evaluate_topics(context: EvaluationContext) -> SectionResult:
    """Topics of a model of words; nothing of other models."""
    encoded, train = context.encoded, context.train
    topics = find_topics(encoded, train)
    measures = measure_topics(topics, encoded, train, context.config.evaluate)
    return SectionResult(measures, tables=topic_tables(topics))


def find_topics(encoded: EncodedExamples, train: Examples) -> Topics | None:
    """Reads the topics of a model of words, in the positive direction of every dimension.

    Args:
        encoded: Whose codec has the model.
        train: Documents whose words are counted for the coherence.

    Returns:
        Nothing of a model of other observations.
    """
    weights = encoded.codec.topic_weights()
    if weights is None:
        return None
    top = top_words(weights, TOP_WORDS)
    dims = [f"{block.name} {axis}" for block in encoded.codec.spec for axis in range(block.dim)]
    return Topics(
        names=dims[: len(weights)],
        words=np.array(encoded.codec.bundle.vocabulary)[top].tolist(),
        coherence=npmi(top, train.images),
        documents=len(train),
    )


def topic_tables(topics: Topics | None) -> list[Table]:
    """The topics, the most coherent first, and their mean."""
    if topics is None:
        return []
    rows = [
        [topics.names[row], " ".join(topics.words[row]), f"{topics.coherence[row]:.3f}"]
        for row in np.argsort(-topics.coherence, kind="stable")
    ]
    mean = ["Mean", "", f"{np.mean(topics.coherence):.3f}"]
    return [Table(title="Topics", columns=["Topic", "Words", "NPMI"], rows=[*rows, mean])]


def measure_topics(
    topics: Topics | None, encoded: EncodedExamples, train: Examples, settings: EvaluateConfig
) -> list[Measure]:
    """Measures topics, perplexity, and what the words themselves tell of the class.

    Args:
        topics: The topics; nothing is measured without.
        encoded: Encoded documents.
        train: Documents that words and classes are learnt from.
        settings: How many examples to train the probe on.
    """
    if topics is None:
        return []
    coherence = Measure(
        name="Mean NPMI of topics",
        key="topics/coherence",
        value=float(np.mean(topics.coherence)),
        chance=0.0,
        meaning=f"Normalised pointwise mutual information of the {TOP_WORDS} top words of each "
        f"topic, by their presence in {topics.documents:,} training documents: -1 for words that "
        "never meet, 0 for independent ones, 1 for those that are never apart.",
    )
    return [coherence, *_measure_perplexity(encoded, train), _probe(encoded, train, settings)]


def _measure_perplexity(encoded: EncodedExamples, train: Examples) -> list[Measure]:
    counts = encoded.examples.images
    lengths = counts.sum(axis=1)
    bounds = encoded.codec.evidence_bound(counts, encoded.seed)
    found = perplexities(bounds, lengths)
    by_frequency = perplexities(unigram_log_probabilities(train.images, counts), lengths)
    return [
        Measure(
            name=f"Perplexity, by {mean}",
            key=f"topics/perplexity/{mean}",
            value=found[f"by {mean}"],
            chance=by_frequency[f"by {mean}"],
            better="lower",
            meaning=f"{formula}, of {encoded.name} {encoded.many}, one code drawn for each; by "
            "chance, of how frequent words are in training.",
        )
        for mean, formula in MEANS.items()
    ]


def _probe(encoded: EncodedExamples, train: Examples, settings: EvaluateConfig) -> Measure:
    train, words = choose(train, settings.probe_examples, 0, "probe"), "bag of words"
    codes = [np.log1p(examples.images, dtype=np.float32) for examples in (train, encoded.examples)]
    return Measure(
        name=f"Linear probe: class from the {words}",
        key="probe/linear/words",
        value=probe_accuracy("linear", codes[0], train.labels, codes[1], encoded.labels),
        chance=encoded.chance,
        meaning=f"Accuracy of a fresh linear classifier on the logarithms of 1 + count of all "
        f"{codes[0].shape[1]:,} words, to compare those on codes with.",
    )
