"""The contracts as pytest classes, one a kind: subclass, name the plugin, inherit the tests.

    from lerobot_core.conformance.robot import RobotConformance

    class TestAcme(RobotConformance):
        name = "acme"

Every failure is a sentence of law; a rule that could not be exercised is skipped with the reason. Needs `lerobot-core[test]`.
"""
