import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

/** java.net.http; the command line and the output are as in common.py. */
public class Client {
    public static void main(String[] job) throws Exception {
        if (job.length > 0) {
            run(job);
            return;
        }
        var jobs = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = jobs.readLine()) != null; ) {
            run(line.trim().split("\\s+"));
        }
        System.exit(0);
    }

    private static void run(String[] job) {
        var request = HttpRequest.newBuilder(URI.create(job[0]))
                .PUT(BodyPublishers.ofByteArray(new byte[Integer.parseInt(job[1])]))
                .expectContinue(job[2].equals("1"))
                .header("Authorization", "Bearer " + job[3])
                .build();
        for (int done = 0; done < Integer.parseInt(job[4]); done++) {
            System.out.println(outcome(request));
        }
    }

    private static String outcome(HttpRequest request) {
        try {
            var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            return String.valueOf(client.send(request, BodyHandlers.discarding()).statusCode());
        } catch (Exception error) {
            return "error:" + error.getMessage();
        }
    }
}
