"""From a workspace to every file, image, service and rule that it becomes."""
