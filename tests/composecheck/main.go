// composecheck loads a Compose file with the loader that docker compose itself uses (interpolation, schema, profiles, depends_on)
// and prints the resolved project as JSON. Exit 2 with Compose's own message if the file is refused.
//
// usage: composecheck ENV_FILE COMPOSE_FILE
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: composecheck ENV_FILE COMPOSE_FILE"))
	}
	options, err := cli.NewProjectOptions(os.Args[2:], cli.WithEnvFiles(os.Args[1]), cli.WithDotEnv, cli.WithProfiles([]string{"*"}))
	if err != nil {
		fail(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		fail(err)
	}
	text, err := project.MarshalJSON()
	if err != nil {
		fail(err)
	}
	fmt.Println(string(text))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}
