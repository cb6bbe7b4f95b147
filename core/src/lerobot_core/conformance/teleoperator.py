"""The teleoperator's laws."""

from __future__ import annotations

from .base import DeviceConformance, refused
from .samples import action, misfits, unlawful


class TeleoperatorConformance(DeviceConformance):
    """Names and units, actions on demand, feedback that never surprises."""

    kind = "teleoperator"

    def test_its_features_are_known_before_it_is_connected(self) -> None:
        """They are compared with the robot's before anything is opened."""
        features = self.make().action_features
        assert features, "a teleoperator must have action features"
        wrong = unlawful(features)
        assert not wrong, f"a teleoperator's features must be lawful: {'; '.join(wrong)}"
        unitless = sorted(key for key, feature in features.items() if feature.unit is None)
        assert not unitless, f"a teleoperator must say the unit of every key: {', '.join(unitless)}"

    def test_nothing_is_read_before_connect(self) -> None:
        """A pose out of nowhere would move the robot there."""
        refused(lambda: self.make().get_action(), "a teleoperator must refuse get_action before connect()")

    def test_actions_hold_exactly_the_declared_keys(self) -> None:
        """Every key, floats, finite."""
        teleoperator = self.connected()
        wrong = misfits(teleoperator.get_action(), teleoperator.action_features)
        assert not wrong, f"get_action must return exactly the action features: {'; '.join(wrong)}"

    def test_actions_are_fresh(self) -> None:
        """The caller may keep what it got."""
        teleoperator = self.connected()
        first = teleoperator.get_action()
        kept = dict(first)
        assert teleoperator.get_action() is not first, "get_action must return a new dict each time"
        assert first == kept, "an action must not change after it was returned"

    def test_it_knows_whether_it_can_be_driven(self) -> None:
        """The run decides by this whether a takeover needs a ramp."""
        assert isinstance(self.make().actuated, bool), "actuated must be True or False"

    def test_feedback_is_taken_in_every_state(self) -> None:
        """Passive ones ignore it."""
        teleoperator = self.connected()
        shown = action(teleoperator.action_features)
        kept = dict(shown)
        teleoperator.feedback(shown)
        teleoperator.engage()
        teleoperator.feedback(shown)
        teleoperator.release()
        teleoperator.release()
        teleoperator.feedback(shown)
        assert shown == kept, "feedback must not change the action it is shown"
