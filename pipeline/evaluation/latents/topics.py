"""Measures models of words: coherence of their topics, perplexity, and a probe of the words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentloom.model_zoo.metrics.coherence import npmi, top_words
from latentloom.model_zoo.metrics.perplexity import perplexities, unigram_log_probabilities
from latentloom.model_zoo.metrics.probes import probe_hits
from latentloom.pipeline.config.settings import EvaluateConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import FEWEST, Measure
from latentloom.pipeline.report.schema import Table

TOP_WORDS = 10
"""Words of a topic that are shown; its coherence is the mean over their pairs."""
MEANS = {
    "document": "exp(-mean over documents of the bound per word)",
    "word": "exp(-sum of the bounds over the number of all words)",
}
"""Formula of the perplexity by document and by word."""


@dataclass(frozen=True)
class Topics:
    """The topics of a model, one per dimension of its code. Get them with `find_topics`.

    Attributes:
        names: Block and number within the block, from 0, of every topic.
        words: The `TOP_WORDS` words of the largest weights of every topic, the largest first.
        coherence: NPMI of every topic, `(topics,)` in `[-1, 1]`.
        documents: Number of training documents that coherence is measured on.
    """

    names: list[str]
    words: list[list[str]]
    coherence: np.ndarray
    documents: int


def evaluate_topics(context: EvaluationContext) -> SectionResult:
    """Measures the topics of a model of words; returns an empty result for other models."""
    encoded, train = context.encoded, context.train
    topics = find_topics(encoded, train)
    measures = measure_topics(topics, encoded, train, context.config.evaluate)
    return SectionResult(measures, tables=topic_tables(topics))


def find_topics(encoded: EncodedExamples, train: Examples) -> Topics | None:
    """Finds the topics of a model of words, in the positive direction of every dimension.

    Args:
        encoded: Encoded documents, with the codec of the model.
        train: Documents in which words are counted for the coherence.

    Returns:
        The topics, or None for a model of other observations.
    """
    weights = encoded.codec.topic_weights()
    if weights is None:
        return None
    top = top_words(weights, TOP_WORDS)
    dims = [f"{block.name} {axis}" for block in encoded.codec.spec for axis in range(block.dim)]
    return Topics(
        names=dims[: len(weights)],
        words=np.array(encoded.codec.bundle.vocabulary)[top].tolist(),
        coherence=npmi(top, train.observations),
        documents=len(train),
    )


def topic_tables(topics: Topics | None) -> list[Table]:
    """The topics, the most coherent first, and their mean coherence."""
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
    """Measures topics, perplexity, and a probe of the class on the words themselves.

    Args:
        topics: The topics; without topics nothing is measured.
        encoded: Encoded documents.
        train: Documents from which word frequencies and the probe are learnt.
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
        "never occur together, 0 for independent words, 1 for words that always occur together.",
    )
    return [coherence, *_measure_perplexity(encoded, train), _probe(encoded, train, settings)]


def _measure_perplexity(encoded: EncodedExamples, train: Examples) -> list[Measure]:
    counts = encoded.examples.observations
    lengths = counts.sum(axis=1)
    bounds = encoded.codec.evidence_bound(counts, encoded.seed)
    found = perplexities(bounds, lengths)
    by_frequency = perplexities(unigram_log_probabilities(train.observations, counts), lengths)
    return [
        Measure(
            name=f"Perplexity, by {mean}",
            key=f"topics/perplexity/{mean}",
            value=found[f"by {mean}"],
            chance=by_frequency[f"by {mean}"],
            better="lower",
            meaning=f"{formula}, on {encoded.name} {encoded.many}, with one code drawn for each; "
            "chance is the perplexity of the word frequencies in training.",
        )
        for mean, formula in MEANS.items()
    ]


def _probe(encoded: EncodedExamples, train: Examples, settings: EvaluateConfig) -> Measure:
    train, words = choose(train, settings.probe_examples, 0, "probe"), "bag of words"
    codes = [
        np.log1p(examples.observations, dtype=np.float32) for examples in (train, encoded.examples)
    ]
    return Measure.of_share(
        probe_hits("linear", codes[0], train.labels, codes[1], encoded.labels),
        encoded.labels,
        fewest=FEWEST,
        name=f"Linear probe: class from the {words}",
        key="probe/linear/words",
        chance=encoded.chance,
        meaning=f"Accuracy of a fresh linear classifier on the logarithms of 1 + count of all "
        f"{codes[0].shape[1]:,} words, as a reference for the probes on codes.",
    )
