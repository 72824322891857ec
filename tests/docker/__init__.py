"""The container, its neighbours and the system service: checked as far as a machine without a container engine can."""
