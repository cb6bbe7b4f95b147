"""The MuJoCo model, written from the numbers in `arm` and `scene`."""

from __future__ import annotations

from math import degrees

from . import arm, scene

TIMESTEP = 0.002
"""Seconds; the longest at which the grasp does not creep."""
ARM, FIXED, LOOSE = 'contype="1" conaffinity="0"', 'contype="0" conaffinity="3"', 'contype="2" conaffinity="1"'
"""The arm touches table, bin and cube but not itself; the cube touches all."""
SEEN = 'contype="0" conaffinity="0" mass="0"'
"""Only drawn."""
WHITE, DARK, ORANGE = "0.93 0.92 0.88 1", "0.13 0.13 0.15 1", "0.95 0.62 0.12 1"


def _box(x: float, y: float, z: float, hx: float, hy: float, hz: float, rest: str) -> str:
    return f'<geom type="box" pos="{x:.4f} {y:.4f} {z:.4f}" size="{hx:.4f} {hy:.4f} {hz:.4f}" {rest}/>'


def _joint(name: str, axis: str) -> str:
    limit = degrees(next(joint.limit for joint in arm.JOINTS if joint.name == name))
    return f'<joint name="{name}" axis="{axis}" range="{-limit:.5f} {limit:.5f}"/>'


def _servo(x: float, y: float, z: float, mass: float = 0.055) -> str:
    return _box(x, y, z, 0.0226, 0.0124, 0.0175, f'{ARM} mass="{mass}" rgba="{DARK}"')


def _jaws() -> str:
    """Gripper's frame: x along the fingers, the fixed jaw at +y, the moving one turning about its pivot at -y."""
    pad = f'{ARM} rgba="{ORANGE}" friction="1.1 0.02 0.0005" solref="0.006 1" solimp="0.97 0.99 0.001" condim="4"'
    half = (arm.FINGER - arm.PIVOT_X) / 2
    # The bar lies along the jaw's own x axis, its face `PARALLEL_PAD_Y` from the gripper's centre when parallel.
    face = arm.PARALLEL_PAD_Y - arm.PIVOT_Y
    bar = _box(half, face - 0.004, 0, half, 0.004, 0.010, f'{pad} mass="0.02" name="moving_jaw"')
    turned = degrees(arm.PARALLEL - arm.JAW_MIDDLE)
    return f"""
      {_box(0.012, -0.004, 0, 0.020, 0.022, 0.014, f'{ARM} mass="0.06" rgba="{WHITE}"')}
      {_box(0.066, arm.FIXED_PAD_Y + 0.004, 0, 0.034, 0.004, 0.010, f'{pad} mass="0.03" name="fixed_jaw"')}
      {_box(-0.019, -0.002, 0.048, 0.004, 0.008, 0.036, f'{SEEN} rgba="{DARK}"')}
      <camera name="wrist" pos="-0.005 -0.002 0.075" xyaxes="0 -1 0 0.545 0 0.839" fovy="62"/>
      <site name="grasp" pos="{arm.FINGER - 0.012} {(arm.FIXED_PAD_Y + arm.PARALLEL_PAD_Y) / 2} 0" size="0.002"/>
      <body name="jaw" pos="{arm.PIVOT_X} {arm.PIVOT_Y} 0" euler="0 0 {turned:.4f}">
        {_joint("gripper", "0 0 -1")}
        <geom type="cylinder" size="0.012 0.012" {ARM} mass="0.02" rgba="{DARK}"/>
        {bar}
      </body>"""


def _arm() -> str:
    return f"""
    <body name="base">
      {_box(-0.022, 0, 0.025, 0.048, 0.037, 0.025, f'{ARM} mass="0.3" rgba="{WHITE}"')}
      <body name="shoulder" pos="0 0 0.054">
        {_joint("shoulder_pan", "0 0 1")}
        <geom type="cylinder" size="0.030 0.008" pos="0 0 0.004" {ARM} mass="0.05" rgba="{WHITE}"/>
        {_servo(0.012, 0, 0.036)}
        {_box(0.012, 0, 0.060, 0.026, 0.028, 0.008, f'{ARM} mass="0.04" rgba="{WHITE}"')}
        <body name="upper_arm" pos="{arm.SHOULDER_FORWARD} 0 {arm.SHOULDER_HEIGHT - 0.054:.4f}">
          {_joint("shoulder_lift", "0 1 0")}
          <geom type="cylinder" size="0.018 0.026" zaxis="0 1 0" {ARM} mass="0.05" rgba="{DARK}"/>
          <geom type="capsule" size="0.015" fromto="0 0 0 {arm.ELBOW_FORWARD} 0 {arm.ELBOW_UP}" {ARM} mass="0.06" rgba="{WHITE}"/>
          <body name="lower_arm" pos="{arm.ELBOW_FORWARD} 0 {arm.ELBOW_UP}">
            {_joint("elbow_flex", "0 1 0")}
            <geom type="cylinder" size="0.017 0.024" zaxis="0 1 0" {ARM} mass="0.05" rgba="{DARK}"/>
            <geom type="capsule" size="0.013" fromto="0 0 0 {arm.FOREARM} 0 0" {ARM} mass="0.05" rgba="{WHITE}"/>
            <body name="wrist" pos="{arm.FOREARM} 0 0">
              {_joint("wrist_flex", "0 1 0")}
              <geom type="cylinder" size="0.015 0.022" zaxis="0 1 0" {ARM} mass="0.045" rgba="{DARK}"/>
              {_servo(0.030, 0, 0)}
              <body name="hand" pos="{arm.WRIST} 0 0">
                {_joint("wrist_roll", "1 0 0")}
                {_jaws()}
              </body>
            </body>
          </body>
        </body>
      </body>
    </body>"""


def _bin() -> str:
    half, wall, high = scene.BIN_HALF, scene.BIN_WALL, scene.BIN_HEIGHT / 2
    outer = half + 2 * wall
    look = f'{FIXED} rgba="0.25 0.42 0.75 1" friction="0.8 0.01 0.001"'
    walls = "".join(
        _box(sign * (half + wall) * along, sign * (half + wall) * (1 - along), high, *size, look)
        for sign in (-1, 1)
        for along, size in ((1, (wall, outer, high)), (0, (half, wall, high)))
    )
    x, y = scene.BIN_CENTER
    floor = _box(0, 0, 0.002, half, half, 0.002, f'{FIXED} rgba="0.20 0.34 0.62 1" friction="0.8 0.01 0.001"')
    return f'<body name="bin" pos="{x} {y} 0">{floor}{walls}</body>'


def _cube() -> str:
    half = scene.CUBE / 2
    grip = 'friction="1.0 0.02 0.0005" solref="0.006 1" solimp="0.97 0.99 0.001" condim="4"'
    look = f'{LOOSE} mass="{scene.CUBE_MASS}" rgba="0.86 0.16 0.13 1" {grip} name="cube"'
    return (
        f'<body name="cube" pos="0.2 0 {half}"><freejoint name="cube"/>{_box(0, 0, 0, half, half, half, look)}</body>'
    )


def _actuators() -> str:
    return "".join(f'<position name="{j.name}" joint="{j.name}" kp="1"/>' for j in arm.JOINTS)


def model_xml() -> str:
    """The whole scene. Gains and torque limits are set at run time, by the servos."""
    ax, ay = scene.AREA_CENTER
    mat = scene.AREA_HALF + 0.03
    return f"""
<mujoco model="so100">
  <compiler angle="degree" autolimits="true"/>
  <option timestep="{TIMESTEP}" integrator="implicitfast" cone="elliptic" impratio="10"/>
  <default>
    <joint damping="0.05" armature="0.02" frictionloss="0.12"/>
  </default>
  <worldbody>
    <camera name="front" pos="0.66 -0.16 0.42" xyaxes="0.25 0.968 0 -0.535 0.138 0.833" fovy="46"/>
    {_box(0.20, 0, -0.015, 0.42, 0.45, 0.015, f'{FIXED} rgba="0.66 0.56 0.44 1" friction="0.7 0.01 0.001" name="table"')}
    {_box(ax, ay, 0.0, mat, mat, 0.0004, f'{SEEN} rgba="0.82 0.80 0.74 1"')}
    {_arm()}
    {_bin()}
    {_cube()}
  </worldbody>
  <actuator>{_actuators()}</actuator>
</mujoco>"""
