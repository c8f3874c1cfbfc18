"""Combines several optimizers, so that parts of a model have their own learning rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, ValuesView
from functools import partial
from types import MappingProxyType
from typing import Any

import keras
from keras.optimizers import LossScaleOptimizer, Optimizer

Part = keras.Layer | Iterable[keras.Variable] | Iterable[int]
DEFAULT = "default"


@keras.saving.register_keras_serializable(package="latentloom")
class Grouped(Optimizer):
    """Trains groups of variables with separate optimizers, on one loss.

    Each group has its own rate or schedule, clipping, gradient accumulation and state. Variables
    in no group belong to `default`; `Grouped` reports its `iterations` and `learning_rate`.

    A part of the model selects the variables of a group. Paths of variables cannot: they do not
    contain the name of a functional network, and only some contain the name of a nested one.

    Args:
        groups: `{name: (part, optimizer)}`. A part is a layer or network, which must be built
            before the optimizer, or a list of variables. It may also be a list of positions among
            the trained variables, as in a config.
        default: The optimizer of all other variables; there may be none.
        name: Name of the optimizer, or `None` for a generated name.

    Raises:
        TypeError: A group is not a pair of a part and an optimizer.
        ValueError: A name is invalid, or an optimizer serves two groups, was used before or scales
            the loss. On building: a group has no variables, or a variable of another group, or a
            variable that is not trained.

    Example:
        ```python
        adversarial = Adam(4e-4, beta_1=0.5)
        model.compile(Grouped({"adversary": (model.adversary, adversarial)}, default=Adam(1e-4)))
        ```
    """

    def __init__(
        self,
        groups: Mapping[str, tuple[Part, Optimizer]],
        default: Optimizer,
        name: str | None = None,
    ):
        parts = {group: _checked_part(group, pair) for group, pair in groups.items()}
        optimizers = {group: pair[1] for group, pair in groups.items()} | {DEFAULT: default}
        _check_optimizers(optimizers)
        super().__init__(learning_rate=0.0, name=name)
        # Keras saves the contents of dictionaries and lists; this class saves the state by group.
        self._parts = MappingProxyType(parts)
        self._optimizers = MappingProxyType(optimizers)
        self._group_of: tuple[str, ...] = ()
        self._iterations = default._iterations  # `apply_gradients` returns it

    @property
    def optimizers(self) -> ValuesView[Optimizer]:
        """The optimizers of the groups, then the default one; Keras' callbacks adjust these."""
        return self._optimizers.values()

    @property
    def variables(self):
        """The state of all optimizers."""
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def iterations(self):
        """Number of updates by the default optimizer."""
        return self._optimizers[DEFAULT].iterations

    @property
    def learning_rate(self):
        """Learning rate of the default optimizer."""
        return self._optimizers[DEFAULT].learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self._optimizers[DEFAULT].learning_rate = learning_rate

    # --- Groups -------------------------------------------------------------------------------

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        self._group_of = self._assign_groups(variables)
        super().build(variables)
        for name, members in self._by_group(variables).items():
            self._optimizers[name].build(members)

    def _assign_groups(self, variables: Sequence[keras.Variable]) -> tuple[str, ...]:
        """Returns the name of the group of every variable."""
        group_of = [DEFAULT] * len(variables)
        for name in self._parts:
            for place in self._places(name, variables):
                other = group_of[place]
                if other not in (DEFAULT, name):
                    raise ValueError(
                        "A variable is in two groups. Expected: one optimizer a variable. "
                        f"Received: '{variables[place].path}' in '{other}' and '{name}'. "
                        "Take it out of one."
                    )
                group_of[place] = name
        return tuple(group_of)

    def _places(self, name: str, variables: Sequence[keras.Variable]) -> list[int]:
        """Positions of the variables of a group among the trained variables."""
        part = self._parts[name]
        members = part.trainable_variables if isinstance(part, keras.Layer) else part
        if not members:
            raise ValueError(
                f"Group '{name}' has no variables. Expected: at least one to train. "
                f"Received: {part}. Build it first, make it trainable, or drop the group."
            )
        index_of = {self._var_key(variable): i for i, variable in enumerate(variables)}
        places = [m if isinstance(m, int) else index_of.get(self._var_key(m), -1) for m in members]
        for place, member in zip(places, members, strict=True):
            if place not in range(len(variables)):
                raise ValueError(
                    f"Group '{name}' has a variable that is not trained. Expected: one of the "
                    f"{len(variables)} that the optimizer is built with. Received: "
                    f"{getattr(member, 'path', member)}. Take it from the model that is compiled."
                )
        return places

    def _by_group(self, variables: Iterable[keras.Variable]) -> dict[str, list[keras.Variable]]:
        grouped = {name: [] for name in self._optimizers}
        for variable in variables:
            grouped[self._group_of[self._get_variable_index(variable)]].append(variable)
        return grouped

    # --- Training -----------------------------------------------------------------------------

    def apply(self, grads, trainable_variables=None):
        if len(grads) == 0:
            return
        variables = list(trainable_variables or self._trainable_variables)
        self.build(variables)
        self._check_variables_are_known(variables)
        grads, variables = self._filter_empty_gradients(grads, variables)
        gradient_of = {self._var_key(v): g for g, v in zip(grads, variables, strict=True)}
        for name, members in self._by_group(variables).items():
            optimizer = self._optimizers[name]
            if members:
                optimizer.apply([gradient_of[self._var_key(v)] for v in members], members)
            else:  # Keras counts a step even if no variable has a gradient
                optimizer._iterations.assign_add(1)

    def finalize_variable_values(self, var_list):
        for name, members in self._by_group(var_list).items():
            self._optimizers[name].finalize_variable_values(members)

    # --- Saving -------------------------------------------------------------------------------

    def set_weights(self, weights):
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def _state(self) -> dict[str, keras.Variable]:
        """Variables keyed by the name of their group, so that the order of groups may change."""
        return {
            f"{name}.{index}": variable
            for name, optimizer in self._optimizers.items()
            for index, variable in enumerate(optimizer.variables)
        }

    def save_own_variables(self, store):
        for key, variable in self._state().items():
            store[key] = variable.numpy()

    def load_own_variables(self, store):
        state, found = self._state(), set(store.keys())
        if state.keys() != found:
            groups = sorted({key.partition(".")[0] for key in found})
            raise ValueError(
                f"Optimizer '{self.name}' was saved with other groups. Expected: {len(state)} "
                f"variables of {sorted(self._optimizers)}. Received: {len(found)} of {groups}. "
                "Build it with the groups that were saved, or load with skip_mismatch=True."
            )
        for key, variable in state.items():
            variable.assign(store[key])

    def get_config(self):
        """Returns the config; it stores groups as positions of variables, so build first."""
        if not self.built:
            raise ValueError(
                f"The groups of '{self.name}' have no variables yet. Expected: a built optimizer. "
                "Received: built=False. Call `optimizer.build(model.trainable_variables)`."
            )
        serialize = keras.saving.serialize_keras_object
        groups = {
            name: [
                [index for index, group in enumerate(self._group_of) if group == name],
                serialize(self._optimizers[name]),
            ]
            for name in self._parts
        }
        default = serialize(self._optimizers[DEFAULT])
        return {"name": self.name, "groups": groups, "default": default}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        restored = partial(keras.saving.deserialize_keras_object, custom_objects=custom_objects)
        saved = config["groups"].items()
        groups = {name: (places, restored(optimizer)) for name, (places, optimizer) in saved}
        return cls(groups, restored(config["default"]), config["name"])


def _checked_part(name: str, pair: Any) -> keras.Layer | tuple:
    """Checks a group; returns its part, with an iterable of variables as a tuple."""
    if name == DEFAULT or "/" in name:
        raise ValueError(
            "The name of a group is invalid. Expected: a name without '/', other than "
            f"'{DEFAULT}'. Received: {name!r}. Rename the group."
        )
    part, optimizer = pair if isinstance(pair, tuple | list) and len(pair) == 2 else (None, None)
    if isinstance(part, Iterable) and not isinstance(part, keras.Layer):
        part = tuple(part)
    members = part if isinstance(part, tuple) else (part,)
    kinds = keras.Variable | int if isinstance(part, tuple) else keras.Layer
    if not isinstance(optimizer, Optimizer) or not all(isinstance(m, kinds) for m in members):
        raise TypeError(
            f"Group '{name}' is not a part with an optimizer. Expected: (layer or variables, "
            f"optimizer). Received: {pair!r}. Pass for example (model.{name}, Adam())."
        )
    return part


def _check_optimizers(optimizers: Mapping[str, Optimizer]) -> None:
    """Rejects optimizers that are in use or scale the loss."""
    seen: list[Optimizer] = []
    for name, optimizer in optimizers.items():
        if optimizer.built or any(optimizer is other for other in seen):
            raise ValueError(
                f"The optimizer of '{name}' is in use. Expected: a new one for each group. "
                f"Received: '{optimizer.name}', built before or in two groups. Make another."
            )
        if optimizer.loss_scale_factor or isinstance(optimizer, LossScaleOptimizer):
            raise ValueError(
                f"The optimizer of '{name}' scales the loss. Expected: one scale for all groups. "
                f"Received: '{optimizer.name}'. Wrap the whole in a LossScaleOptimizer."
            )
        seen.append(optimizer)
