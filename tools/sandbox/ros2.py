# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The command ros2 in the sandbox: ros2cli, which has no script there, and `ros2 launch`.

The ROS wheel carries launch and launch_ros but not ros2launch, the package that adds the verb. Here
is as much of the verb as a person uses: a package and one of its launch files (or the path of one),
`name:=value` arguments, and --show-args.
"""

import argparse
import sys
from pathlib import Path


def find_launch_file(package_or_path: str, name: str | None) -> Path:
    """Find a launch file by its path, or by its name in the share folder of a package."""
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    if name is None:
        path = Path(package_or_path)
        if not path.is_file():
            sys.exit(f'ros2 launch: {path} is no file; give a path, or a package and a file name')
        return path
    try:
        share = Path(get_package_share_directory(package_or_path))
    except PackageNotFoundError:
        sys.exit(f'ros2 launch: package {package_or_path!r} is not installed here (ros2 pkg list)')
    found = sorted(share.rglob(name))
    if not found:
        there = ', '.join(sorted(path.name for path in share.rglob('*.launch.*'))) or 'none'
        sys.exit(f'ros2 launch: {name} is not among the launch files of {package_or_path}: {there}')
    return found[0]


def show_arguments(path: Path) -> None:
    """Print the arguments that a launch file declares, with descriptions and defaults."""
    from launch import LaunchContext
    from launch.launch_description_sources import get_launch_description_from_python_launch_file
    from launch.utilities import perform_substitutions

    description = get_launch_description_from_python_launch_file(str(path))
    context = LaunchContext()
    print("Arguments (pass arguments as '<name>:=<value>'):")
    for argument in description.get_launch_arguments():
        print(f"\n    '{argument.name}':\n        {argument.description}")
        if argument.choices:
            print(f'        one of: {", ".join(argument.choices)}')
        if argument.default_value is not None:
            print(f"        (default: '{perform_substitutions(context, argument.default_value)}')")


def launch(arguments: list[str]) -> int:
    """Run `ros2 launch` with the arguments that follow the verb; return the exit status."""
    from launch import LaunchDescription, LaunchService
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import AnyLaunchDescriptionSource

    parser = argparse.ArgumentParser(prog='ros2 launch', description='Run a launch file')
    parser.add_argument('package', metavar='package_or_path')
    parser.add_argument('rest', nargs='*', metavar='[file] name:=value')
    parser.add_argument('-s', '--show-args', '--show-arguments', action='store_true')
    parser.add_argument('-d', '--debug', action='store_true')
    options = parser.parse_args(arguments)

    names = [word for word in options.rest if ':=' not in word]
    if len(names) > 1:
        parser.error(f'one launch file, then name:=value; not understood: {" ".join(names[1:])}')
    path = find_launch_file(options.package, names[0] if names else None)
    if options.show_args:
        show_arguments(path)
        return 0
    values = [tuple(word.split(':=', 1)) for word in options.rest if ':=' in word]
    source = AnyLaunchDescriptionSource(str(path))
    service = LaunchService(argv=options.rest, debug=options.debug)
    service.include_launch_description(
        LaunchDescription([IncludeLaunchDescription(source, launch_arguments=values)])
    )
    return int(service.run())


def main() -> int:
    """Run `ros2` with the arguments of this process; return the exit status."""
    if sys.argv[1:2] == ['launch']:
        return launch(sys.argv[2:])
    from ros2cli.cli import main as ros2cli_main

    sys.argv[0] = 'ros2'
    return int(ros2cli_main() or 0)


if __name__ == '__main__':
    sys.exit(main())
